namespace DiskSync.Engine.Progress;

/// <summary>What a long operation is doing, as the progress display names it.</summary>
public enum CopyPhase
{
    /// <summary>Connecting, opening images, choosing a base.</summary>
    Preparing,

    /// <summary>Comparing two images, or an image with a block map.</summary>
    Comparing,

    /// <summary>Hashing an image: a block map, or the scan that finds dirty blocks.</summary>
    Hashing,

    /// <summary>Making the destination's staged copy from its base.</summary>
    Cloning,

    /// <summary>The first round of a copy.</summary>
    BulkCopy,

    /// <summary>A later round, while the machine still runs.</summary>
    DeltaRound,

    /// <summary>The last round: the machine is paused.</summary>
    FinalDelta,

    /// <summary>Writing a file or a target that is local.</summary>
    Writing,

    /// <summary>Reading back and comparing what was written.</summary>
    Verifying,

    /// <summary>Making everything written durable.</summary>
    Flushing,

    /// <summary>The machine's memory goes to the destination while the machine runs.</summary>
    Memory,

    /// <summary>A pause, resume or unpause command runs.</summary>
    Hook,

    /// <summary>The ownership moves.</summary>
    HandOver,

    /// <summary>The machine runs at the destination, which fetches what it misses from here.</summary>
    Tail,
}
