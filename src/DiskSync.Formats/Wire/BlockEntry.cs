using System.Buffers.Binary;
using DiskSync.Codecs;

namespace DiskSync.Formats.Wire;

/// <summary>One checked entry of a batch.</summary>
/// <remarks>A view into the frame's body, valid as long as that is; the payload's hash has not been checked.</remarks>
public readonly ref struct BlockEntry
{
    internal BlockEntry(ReadOnlySpan<byte> entry, ReadOnlySpan<byte> payload, int payloadOffset)
    {
        Kind = (BlockKind)entry[0];
        Count = BinaryPrimitives.ReadUInt32LittleEndian(entry[BlocksLayout.EntryCountAt..]);
        Block = BinaryPrimitives.ReadInt64LittleEndian(entry[BlocksLayout.EntryBlockAt..]);
        Hash = new Hash256(entry[BlocksLayout.EntryHashAt..]);
        Payload = payload;
        PayloadOffset = payloadOffset;
    }

    /// <summary>How the new content is given.</summary>
    public BlockKind Kind { get; }

    /// <summary>The (first) block.</summary>
    public long Block { get; }

    /// <summary>How many blocks: 1 for every kind but <see cref="BlockKind.ZeroRun"/>.</summary>
    public long Count { get; }

    /// <summary>The hash of the block's new content; unknown (zero) for <see cref="BlockKind.ZeroRun"/> only.</summary>
    public Hash256 Hash { get; }

    /// <summary>The payload; empty for <see cref="BlockKind.ZeroRun"/>.</summary>
    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>Where the payload starts in the body, for a caller that keeps the body as memory across an await.</summary>
    public int PayloadOffset { get; }

    /// <summary>The source block of a <see cref="BlockKind.Copy"/>.</summary>
    /// <exception cref="InvalidOperationException">The entry is of another kind.</exception>
    public long CopySource => Kind == BlockKind.Copy
        ? BinaryPrimitives.ReadInt64LittleEndian(Payload)
        : throw new InvalidOperationException($"{Kind} has no source block");
}
