namespace DiskSync.Formats.Journal;

/// <summary>The map is right about these regions: image and map were flushed before this was written.</summary>
/// <param name="Regions">Ascending, not overlapping, 0 to <see cref="JournalRecord.MaxRanges"/>.</param>
/// <param name="ReadBack">Whether their blocks were read back from the medium and compared since they were last written.</param>
public sealed record JournalCheckpoint(IReadOnlyList<RegionRange> Regions, bool ReadBack) : JournalRecord;
