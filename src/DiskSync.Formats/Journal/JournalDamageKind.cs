namespace DiskSync.Formats.Journal;

/// <summary>Why a transfer journal proves nothing.</summary>
public enum JournalDamageKind
{
    /// <summary>The file is empty: the run that created it ended before it wrote anything.</summary>
    Empty,

    /// <summary>It is something else.</summary>
    NotAJournal,

    /// <summary>Another version of DiskSync wrote it.</summary>
    OtherVersion,

    /// <summary>The file ends inside its header or its head slots.</summary>
    CutOff,

    /// <summary>The header's check is wrong.</summary>
    Header,

    /// <summary>Neither head slot is valid.</summary>
    HeadSlots,

    /// <summary>Fewer records are there than were acknowledged.</summary>
    RecordsMissing,

    /// <summary>An acknowledged record is not what was written, or makes no sense.</summary>
    Record,
}
