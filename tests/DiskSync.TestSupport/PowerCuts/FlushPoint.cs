namespace DiskSync.TestSupport.PowerCuts;

/// <summary>The flushes that safety rule 4 rests on. Taking any one of them out must make the power-cut runs fail.</summary>
public enum FlushPoint
{
    /// <summary>None is taken out.</summary>
    None,

    /// <summary>Of the image, in a checkpoint.</summary>
    Image,

    /// <summary>Of the block map, in a checkpoint.</summary>
    Map,

    /// <summary>Of the journal, when claims are withdrawn.</summary>
    Withdraw,

    /// <summary>Of the journal, when claims are made.</summary>
    Claim,

    /// <summary>Of the journal, when a session begins.</summary>
    Session,

    /// <summary>Of the journal, between a record and the slot that counts it.</summary>
    Record,

    /// <summary>Of a new journal's content, before it gets the old one's name.</summary>
    NewJournal,

    /// <summary>Of the folder, after the new journal has got the old one's name.</summary>
    JournalName,
}
