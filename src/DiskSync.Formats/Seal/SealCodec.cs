using System.Buffers;
using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire;

namespace DiskSync.Formats.Seal;

/// <summary>Seal records as the bytes of their file (FORMAT.md).</summary>
/// <remarks>Thread safe.</remarks>
public static class SealCodec
{
    /// <summary>The most bytes a seal's file can have: read no more than this and one.</summary>
    public const int MaxSize = FixedSize + sizeof(ushort) + WireLimits.MaxText + Hash256.Size;

    private const int FixedSize = 144;
    private const int GuidSize = 16;
    private const string Name = "seal";
    private const ushort Version = 2;
    private const ushort VersionWithoutBoot = 1;

    private static ReadOnlySpan<byte> Magic => "DSyncSel"u8;

    /// <summary>Writes a seal.</summary>
    /// <exception cref="ArgumentException">The name cannot be carried or the root is unknown: a bug of the caller.</exception>
    public static byte[] Encode(SealRecord seal)
    {
        ArgumentNullException.ThrowIfNull(seal);
        if (!MayBe(seal.Root, seal.Epoch, seal.Stamp))
        {
            throw new ArgumentException("a seal needs a root", nameof(seal));
        }

        var output = new ArrayBufferWriter<byte>(256);
        var writer = new FieldWriter(output);
        writer.Bytes(Magic);
        writer.UInt16(Version);
        writer.UInt16(0);
        writer.UInt32((uint)seal.Geometry.Granularity);
        writer.UInt64((ulong)seal.Geometry.Length);
        writer.UInt64(seal.Epoch);
        writer.Guid(seal.Attempt);
        writer.Hash(seal.Root);
        writer.Int64(seal.SealedAtMs);
        writer.UInt64(seal.Stamp.Device);
        writer.UInt64(seal.Stamp.Inode);
        writer.Int64(seal.Stamp.Size);
        writer.Int64(seal.Stamp.ModifiedNs);
        writer.Int64(seal.Stamp.ChangedNs);
        writer.Guid(seal.SettledBoot);
        writer.Name("image", seal.Image);
        writer.Hash(Blake3.Hash(output.WrittenSpan));
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Reads a seal.</summary>
    /// <param name="bytes">The whole file.</param>
    /// <exception cref="FormatViolationException">It is cut off, damaged, of another version or no seal: the image counts as partial.</exception>
    public static SealRecord Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new FieldReader(bytes, Name);
        ushort version = reader.Start(Magic, VersionWithoutBoot, Version);
        reader.CheckEnd((version == VersionWithoutBoot ? FixedSize - GuidSize : FixedSize) + sizeof(ushort) + Hash256.Size);
        ushort reserved = reader.UInt16("reserved");
        uint granularity = reader.UInt32("granularity");
        ulong length = reader.UInt64("length");
        if (reserved != 0 || !BlockGeometry.TryCreate((long)length, granularity, out BlockGeometry geometry))
        {
            throw reader.Violation($"granularity {granularity}, length {length}", "a geometry within the limits", 14);
        }

        ulong epoch = reader.UInt64("epoch");
        Guid attempt = reader.Guid("attempt");
        Hash256 root = reader.Hash("root");
        long time = reader.Int64("sealed at");
        var stamp = new FileStamp(
            reader.UInt64("device"),
            reader.UInt64("inode"),
            reader.Int64("size"),
            reader.Int64("modified"),
            reader.Int64("changed"));
        if (!MayBe(root, epoch, stamp))
        {
            throw reader.Violation("32 zero bytes", "root, which cannot be unknown");
        }

        Guid boot = version == VersionWithoutBoot ? Guid.Empty : reader.Guid("settled boot");
        string image = reader.Text("image");
        reader.Bytes("check", Hash256.Size);
        reader.End();
        return new SealRecord(image, epoch, geometry, root, attempt, time, stamp) { SettledBoot = boot };
    }

    /// <summary>What came with a tail has been written to before it was whole: its seal may say no more than its epoch, and then fits no file.</summary>
    private static bool MayBe(in Hash256 root, ulong epoch, FileStamp stamp) => !root.IsUnknown || (epoch > 0 && stamp == default);
}
