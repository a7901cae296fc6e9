namespace DiskSync.Formats.Journal;

/// <summary>A head slot: how far the journal goes at least.</summary>
/// <param name="Count">How many records were acknowledged.</param>
/// <param name="End">Where the last of them ends.</param>
/// <param name="Chain">The chain value after it.</param>
internal sealed record JournalHead(ulong Count, long End, ReadOnlyMemory<byte> Chain);
