using DiskSync.Codecs;

namespace DiskSync.Formats.Delta;

/// <summary>What a delta says about a block, or about a run of blocks that become zeros.</summary>
/// <param name="Kind">How the new content is given.</param>
/// <param name="Block">The (first) block.</param>
/// <param name="Count">How many blocks; 1 for every kind but <see cref="DeltaKind.Zero"/>.</param>
/// <param name="OldHash">The hash of each before, at its old length; unknown where the old image had no such block.</param>
/// <param name="NewHash">The hash of each after.</param>
/// <param name="Payload">The payload, in the reader's buffer: valid until its next read.</param>
public readonly record struct DeltaRecord(
    DeltaKind Kind, long Block, long Count, Hash256 OldHash, Hash256 NewHash, ReadOnlyMemory<byte> Payload);
