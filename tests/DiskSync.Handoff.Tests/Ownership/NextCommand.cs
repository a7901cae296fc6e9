namespace DiskSync.Handoff.Tests.Ownership;

/// <summary>What the operator types after the crash.</summary>
public enum NextCommand
{
    /// <summary><c>disksync owner</c> at the source.</summary>
    Owner,

    /// <summary><c>disksync owner --return</c> at the source.</summary>
    OwnerCallOff,

    /// <summary>The same <c>disksync migrate</c> again: resolves, then moves if the source still owns.</summary>
    MigrateAgain,
}
