using DiskSync.Codecs;
using DiskSync.Formats.Wire;

namespace DiskSync.Formats.Delta;

/// <summary>Turns a delta record into the block's new content.</summary>
/// <remarks>Thread safe.</remarks>
public static class DeltaBlock
{
    /// <summary>Makes the new content and checks its hash, so that nothing wrong can be written.</summary>
    /// <param name="record">The record.</param>
    /// <param name="block">
    /// Exactly the block's new length. For a <see cref="DeltaKind.Patch"/> it holds the old content, or a mixture of
    /// old and new as a crash in the middle of writing this record leaves it; else anything. The new content
    /// afterwards, unless this throws.
    /// </param>
    /// <param name="scratch">A block's length for a <see cref="DeltaKind.Patch"/>; may be empty for others.</param>
    /// <exception cref="FormatViolationException">The payload is broken, or the result does not have the new hash.</exception>
    public static void Build(in DeltaRecord record, Span<byte> block, Span<byte> scratch)
    {
        ReadOnlySpan<byte> payload = record.Payload.Span;
        switch (record.Kind)
        {
            case DeltaKind.Zero:
                block.Clear();
                break;
            case DeltaKind.Raw:
                payload.CopyTo(block);
                break;
            case DeltaKind.Lz4:
                if (!Lz4.TryDecompress(payload, block))
                {
                    throw Wrong(record, $"{payload.Length} bytes of bad LZ4");
                }

                break;
            default:
                PatchPayload.Read(payload, block.Length).ApplyTo(block, scratch);
                break;
        }

        Hash256 hash = Blake3.Hash(block);
        if (hash != record.NewHash)
        {
            throw Wrong(record, $"content with hash {hash}");
        }
    }

    private static FormatViolationException Wrong(in DeltaRecord record, string found) =>
        new($"{DeltaFormat.Name} record of block {record.Block}", 0, found, $"content with hash {record.NewHash}");
}
