namespace DiskSync.Handoff.Ownership;

/// <summary>How a hand-over, or the command that resolves one, ended on the source's side.</summary>
public enum HandOverState
{
    /// <summary>There was nothing to resolve.</summary>
    Nothing = 0,

    /// <summary>The destination owns; the source is done and keeps its paused guest until the destination's runs.</summary>
    Done = 1,

    /// <summary>The source owns and its guest runs again.</summary>
    SourceRuns = 2,

    /// <summary>The source owns, but its guest could not be unpaused.</summary>
    SourceOwnsButPaused = 3,

    /// <summary>Ceded, and the destination's answer is not known: nobody may write here.</summary>
    InDoubt = 4,

    /// <summary>The destination owns and still fetches parts from the source's frozen image, which stays pinned (docs/tail.md).</summary>
    Pinned = 5,
}
