namespace DiskSync.Formats.Journal;

/// <summary>These regions may be overwritten from here on, so the map says nothing about them. Durable before the first overwrite.</summary>
/// <param name="Regions">Ascending, not overlapping, 1 to <see cref="JournalRecord.MaxRanges"/>.</param>
public sealed record JournalWithdraw(IReadOnlyList<RegionRange> Regions) : JournalRecord;
