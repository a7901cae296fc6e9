using System.Buffers;
using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.ExportControl;
using DiskSync.Formats.SavedMap;

namespace DiskSync.Formats.Tracking;

/// <summary>Tracking records as the bytes of their file (FORMAT.md).</summary>
/// <remarks>Thread safe.</remarks>
public static class TrackingRecordCodec
{
    /// <summary>The most bytes a record may have: one that would be longer is not written, and read no more than this and one.</summary>
    public const int MaxSize = 64 << 20;

    private const int FixedSize = 144;
    private const int LeastChunk = 10;
    private const string Name = "tracking record";
    private const ushort Version = 1;

    private static ReadOnlySpan<byte> Magic => "DSyncTrk"u8;

    /// <summary>Writes a record.</summary>
    /// <returns>Null where it would be longer than <see cref="MaxSize"/>.</returns>
    /// <exception cref="ArgumentException">The path cannot be carried, the root is unknown or a chunk is empty: a bug of the caller.</exception>
    public static byte[]? TryEncode(TrackingRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (record.Root.IsUnknown)
        {
            throw new ArgumentException("a tracking record needs a root", nameof(record));
        }

        var output = new ArrayBufferWriter<byte>(4096);
        var writer = new FieldWriter(output);
        writer.Bytes(Magic);
        writer.UInt16(Version);
        SourceIdentityCodec.WriteKind(record.Identity, writer);
        writer.Count("chunks", record.Chunks.Count, (int)DirtyBits.MaxChunks);
        writer.Int64(record.Length);
        writer.UInt64(record.Epoch);
        writer.Hash(record.Root);
        SourceIdentityCodec.Write(record.Identity, writer);
        writer.Name("image", record.Image);
        foreach (DirtyBits chunk in record.Chunks)
        {
            DirtyBitsCodec.Write(chunk, writer);
            if (output.WrittenCount > MaxSize - Hash256.Size)
            {
                return null;
            }
        }

        writer.Hash(Blake3.Hash(output.WrittenSpan));
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Reads a record.</summary>
    /// <param name="bytes">The whole file.</param>
    /// <exception cref="FormatViolationException">It is cut off, damaged, of another version or no such record: nothing is known of the image.</exception>
    public static TrackingRecord Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new FieldReader(bytes, Name);
        reader.Start(Magic, Version, Version);
        reader.CheckEnd(FixedSize + sizeof(ushort) + Hash256.Size);
        bool isDevice = SourceIdentityCodec.ReadKind(ref reader);
        int count = reader.Count("chunks", (int)DirtyBits.MaxChunks, LeastChunk);
        long length = (long)reader.UInt64("length", 0, BlockGeometry.MaxLength);
        ulong epoch = reader.UInt64("epoch");
        Hash256 root = reader.KnownHash("root");
        SourceIdentity identity = SourceIdentityCodec.Read(isDevice, ref reader);
        string image = reader.Text("image");
        List<DirtyBits> chunks = [];
        for (int i = 0; i < count; i++)
        {
            DirtyBits chunk = DirtyBitsCodec.Read(ref reader);
            if (chunks.Count > 0 && chunk.Chunk <= chunks[^1].Chunk)
            {
                throw reader.Violation($"chunk {chunk.Chunk} after {chunks[^1].Chunk}", "chunks in order, each once");
            }

            chunks.Add(chunk);
        }

        reader.Bytes("check", Hash256.Size);
        reader.End();
        return new TrackingRecord(image, length, root, epoch, identity, chunks);
    }
}
