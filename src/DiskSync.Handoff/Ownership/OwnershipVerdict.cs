namespace DiskSync.Handoff.Ownership;

/// <summary>What a host's journal and the image's surroundings together allow.</summary>
public enum OwnershipVerdict
{
    /// <summary>Nothing is known of the image and nothing speaks against it: its first migrate adopts it as OWNER(1).</summary>
    Unseen = 0,

    /// <summary>OWNER or RUNNING, nothing owed: may run, may be migrated away.</summary>
    Owner = 1,

    /// <summary>OWNER, but names, seal or guest are not yet as they should be: <c>owner</c> finishes it.</summary>
    OwnerUnfinished = 2,

    /// <summary>S: paused or about to be, nothing ceded: may be called off without asking anyone.</summary>
    Paused = 3,

    /// <summary>S: ceded; only D's answer decides.</summary>
    Ceded = 4,

    /// <summary>D: prepared; only S decides.</summary>
    Prepared = 5,

    /// <summary>The other side owns.</summary>
    Elsewhere = 6,

    /// <summary>D: the attempt was refused; what is staged is a partial copy.</summary>
    Refused = 7,

    /// <summary>D: a return to the source has begun; <c>owner --return</c> finishes it.</summary>
    Returning = 8,

    /// <summary>The journal is missing, torn or restored: may not be written before the operator has spoken.</summary>
    InDoubt = 9,

    /// <summary>D: OWNER_INCOMPLETE: owned, parts are still at the source, names or guest are not yet as they should be.</summary>
    IncompleteUnfinished = 10,

    /// <summary>D: RUNNING_INCOMPLETE: owned, parts are still at the source. Only our export may serve it.</summary>
    Incomplete = 11,

    /// <summary>S: the other side owns, and still needs the frozen image here: it may be read for that, and nothing else.</summary>
    Pinned = 12,
}
