namespace DiskSync.Handoff.Hooks;

/// <summary>What a hook does to the guest.</summary>
public enum GuestAction
{
    /// <summary>At the source, before the last delta.</summary>
    Pause = 0,

    /// <summary>At the source, where the hand-over is called off.</summary>
    Unpause = 1,

    /// <summary>At the destination, once it owns the images.</summary>
    Resume = 2,
}
