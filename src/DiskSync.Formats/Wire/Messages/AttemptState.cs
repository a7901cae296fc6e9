namespace DiskSync.Formats.Wire.Messages;

/// <summary>The last record of an attempt in a journal (design section 5).</summary>
public enum AttemptState : byte
{
    /// <summary>The journal does not know the attempt.</summary>
    None = 0,

    /// <summary>S: the pause command is about to run.</summary>
    Paused = 1,

    /// <summary>D: verified; does not decide alone.</summary>
    Prepared = 2,

    /// <summary>S: the image is unusable here; waits for D.</summary>
    Ceded = 3,

    /// <summary>May run and write.</summary>
    Owner = 4,

    /// <summary>Owner, and the guest was resumed.</summary>
    Running = 5,

    /// <summary>D: a late Commit will be rejected.</summary>
    Refused = 6,

    /// <summary>S: D owns the image.</summary>
    Done = 7,

    /// <summary>S: called off before it was ceded; unpaused.</summary>
    CalledOff = 8,

    /// <summary>D: as <see cref="Prepared"/>, and parts of the image are still only at S (docs/tail.md).</summary>
    PreparedTail = 9,

    /// <summary>D: owns; its image may be run only through our export, which fetches what is missing.</summary>
    OwnerIncomplete = 10,

    /// <summary>D: <see cref="OwnerIncomplete"/>, and the guest was started.</summary>
    RunningIncomplete = 11,

    /// <summary>S: D owns the image and still needs the frozen one here.</summary>
    Pinned = 12,
}
