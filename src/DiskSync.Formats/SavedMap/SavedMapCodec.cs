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

        var output = new ArrayBufferWriter<byte>(512);
        var writer = new FieldWriter(output);
        writer.Bytes(Magic);
        writer.UInt16(Version);
        SourceIdentityCodec.WriteKind(record.Identity, writer);
        writer.UInt32((uint)record.Geometry.Granularity);
        writer.UInt64((ulong)record.Geometry.Length);
        writer.Hash(record.Root);
        writer.Int64(record.SavedAtMs);
        SourceIdentityCodec.Write(record.Identity, writer);
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
        bool isDevice = SourceIdentityCodec.ReadKind(ref reader);
        uint granularity = reader.UInt32("granularity");
        ulong length = reader.UInt64("length");
        if (!BlockGeometry.TryCreate((long)length, granularity, out BlockGeometry geometry))
        {
            throw reader.Violation($"granularity {granularity}, length {length}", "a source within the limits", 12);
        }

        Hash256 root = reader.KnownHash("root");
        long time = reader.Int64("saved at");
        SourceIdentity identity = SourceIdentityCodec.Read(isDevice, ref reader);
        string source = reader.Text("source");
        reader.Bytes("check", Hash256.Size);
        reader.End();
        return new SavedMapRecord(source, geometry, root, time, identity);
    }
}
