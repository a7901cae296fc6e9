using System.Buffers;
using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire;

namespace DiskSync.Formats.SavedMap;

/// <summary>Records of saved maps as the bytes of their file (FORMAT.md).</summary>
/// <remarks>Thread safe.</remarks>
public static class SavedMapCodec
{
    /// <summary>The most bytes a record's file can have: read no more than this and one.</summary>
    public const int MaxSize = FixedSize + sizeof(ushort) + WireLimits.MaxText + Hash256.Size;

    private const int FixedSize = 144;
    private const string Name = "saved map record";
    private const ushort Version = 1;
    private const ushort FileKind = 1;
    private const ushort DeviceKind = 2;

    private static ReadOnlySpan<byte> Magic => "DSyncSmp"u8;

    /// <summary>Writes a record.</summary>
    /// <exception cref="ArgumentException">The path cannot be carried or the root is unknown: a bug of the caller.</exception>
    public static byte[] Encode(SavedMapRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (record.Root.IsUnknown)
        {
            throw new ArgumentException("a saved map needs a root", nameof(record));
        }

        SourceIdentity identity = record.Identity;
        var output = new ArrayBufferWriter<byte>(512);
        var writer = new FieldWriter(output);
        writer.Bytes(Magic);
        writer.UInt16(Version);
        writer.UInt16(identity.IsDevice ? DeviceKind : FileKind);
        writer.UInt32((uint)record.Geometry.Granularity);
        writer.UInt64((ulong)record.Geometry.Length);
        writer.Hash(record.Root);
        writer.Int64(record.SavedAtMs);
        writer.Guid(identity.Boot);
        writer.UInt64(identity.Device);
        writer.UInt64(identity.DiskSequence);
        writer.UInt64(identity.Inode);
        writer.Int64(identity.BirthNs);
        writer.Int64(identity.ChangedNs);
        writer.UInt64(identity.FileSystemType);
        writer.UInt64(identity.FileSystemId);
        writer.UInt64(identity.SectorsChanged);
        writer.Name("source", record.Source);
        writer.Hash(Blake3.Hash(output.WrittenSpan));
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Reads a record.</summary>
    /// <param name="bytes">The whole file.</param>
    /// <exception cref="FormatViolationException">It is cut off, damaged, of another version or no such record: there is no saved map.</exception>
    public static SavedMapRecord Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new FieldReader(bytes, Name);
        reader.Start(Magic, Version, Version);
        reader.CheckEnd(FixedSize + sizeof(ushort) + Hash256.Size);
        ushort kind = reader.UInt16("kind");
        uint granularity = reader.UInt32("granularity");
        ulong length = reader.UInt64("length");
        if (kind is not (FileKind or DeviceKind) || !BlockGeometry.TryCreate((long)length, granularity, out BlockGeometry geometry))
        {
            throw reader.Violation($"kind {kind}, granularity {granularity}, length {length}", "a source within the limits", 14);
        }

        Hash256 root = reader.KnownHash("root");
        long time = reader.Int64("saved at");
        var identity = new SourceIdentity(
            kind == DeviceKind,
            reader.Guid("boot id"),
            reader.UInt64("device"),
            reader.UInt64("disk sequence"),
            reader.UInt64("inode"),
            reader.Int64("birth time"),
            reader.Int64("change time"),
            reader.UInt64("file system type"),
            reader.UInt64("file system id"),
            reader.UInt64("sectors changed"));
        string source = reader.Text("source");
        reader.Bytes("check", Hash256.Size);
        reader.End();
        return new SavedMapRecord(source, geometry, root, time, identity);
    }
}
