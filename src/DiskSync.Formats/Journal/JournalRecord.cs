namespace DiskSync.Formats.Journal;

/// <summary>A record of a transfer journal (FORMAT.md).</summary>
/// <remarks>Immutable.</remarks>
public abstract record JournalRecord
{
    /// <summary>The most ranges in one record; more go into further records, each true on its own.</summary>
    public const int MaxRanges = 32768;
}
