namespace DiskSync.Formats.RecordLog;

/// <summary>A head slot: how far a log goes at least.</summary>
/// <param name="Count">How many records were acknowledged.</param>
/// <param name="End">Where the last of them ends.</param>
/// <param name="Chain">The chain value after it.</param>
internal sealed record LogHead(ulong Count, long End, ReadOnlyMemory<byte> Chain)
{
    /// <summary>Whether it counts as many records as were read, and those are others.</summary>
    /// <param name="count">How many were read.</param>
    /// <param name="end">Where the last of them ends.</param>
    /// <param name="chain">The chain value after it.</param>
    public bool Contradicts(ulong count, long end, ReadOnlySpan<byte> chain) =>
        Count == count && (End != end || !Chain.Span.SequenceEqual(chain));
}
