namespace DiskSync.Handoff.Hypervisors.Qemu;

/// <summary>What QEMU says over QMP.</summary>
public enum QmpMessageKind
{
    /// <summary>The first message of a connection.</summary>
    Greeting,

    /// <summary>A command succeeded.</summary>
    Return,

    /// <summary>A command failed.</summary>
    Error,

    /// <summary>Something happened.</summary>
    Event,
}
