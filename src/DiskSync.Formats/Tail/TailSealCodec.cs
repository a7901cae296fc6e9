using System.Buffers;
using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire;

namespace DiskSync.Formats.Tail;

/// <summary>Tail seals as the bytes of their file (FORMAT.md).</summary>
/// <remarks>Thread safe.</remarks>
public static class TailSealCodec
{
    /// <summary>The most bytes a tail seal's file can have: read no more than this and one.</summary>
    public const int MaxSize = FixedSize + (3 * (sizeof(ushort) + WireLimits.MaxText)) + Hash256.Size;

    private const int FixedSize = 88;
    private const string Name = "tail seal";
    private const ushort Version = 1;

    private static ReadOnlySpan<byte> Magic => "DSyncTal"u8;

    /// <summary>Writes a tail seal.</summary>
    /// <exception cref="ArgumentException">A name cannot be carried, or epoch or attempt is missing: a bug of the caller.</exception>
    public static byte[] Encode(TailSealRecord seal)
    {
        ArgumentNullException.ThrowIfNull(seal);
        if (seal.Epoch == 0 || seal.Attempt == Guid.Empty)
        {
            throw new ArgumentException("a tail seal needs an epoch and an attempt", nameof(seal));
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
        writer.Int64(seal.MadeAtMs);
        writer.Name("image", seal.Image);
        writer.Text(seal.SourceHost);
        writer.Name("source image", seal.SourceImage);
        writer.Hash(Blake3.Hash(output.WrittenSpan));
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Reads a tail seal.</summary>
    /// <param name="bytes">The whole file.</param>
    /// <exception cref="FormatViolationException">It is cut off, damaged, of another version or no tail seal: nothing may serve the image.</exception>
    public static TailSealRecord Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new FieldReader(bytes, Name);
        reader.Start(Magic, Version, Version);
        reader.CheckEnd(FixedSize + (3 * sizeof(ushort)) + Hash256.Size);
        ushort reserved = reader.UInt16("reserved");
        uint granularity = reader.UInt32("granularity");
        ulong length = reader.UInt64("length");
        if (reserved != 0 || !BlockGeometry.TryCreate((long)length, granularity, out BlockGeometry geometry))
        {
            throw reader.Violation($"granularity {granularity}, length {length}", "a geometry within the limits", 14);
        }

        ulong epoch = reader.UInt64("epoch", 1, ulong.MaxValue);
        Guid attempt = reader.Guid("attempt");
        if (attempt == Guid.Empty)
        {
            throw reader.Violation("16 zero bytes", "an attempt", 16);
        }

        Hash256 root = reader.Hash("root");
        long time = reader.Int64("made at");
        string image = reader.Text("image");
        string host = reader.Text("source host");
        string source = reader.Text("source image");
        reader.Bytes("check", Hash256.Size);
        reader.End();
        return new TailSealRecord(image, epoch, geometry, root, attempt, time, host, source);
    }
}
