namespace DiskSync.Engine;

/// <summary>The kinds of failure, whose numbers are the published exit codes (README, "Exit codes").</summary>
public enum FailureKind
{
    /// <summary>The command line or a request cannot be understood.</summary>
    Usage = 2,

    /// <summary>The source image could not be read, or changed in a way that a copy cannot follow.</summary>
    Source = 3,

    /// <summary>The destination could not be written, verified or flushed.</summary>
    Destination = 4,

    /// <summary>The connection broke, went silent or carried something that is not our protocol.</summary>
    Transport = 5,

    /// <summary>A check before the first write said no: mounted, locked, wrong base, no space, not allowed.</summary>
    Preflight = 6,

    /// <summary>The forecast of the final round does not fit the downtime budget.</summary>
    NotConverged = 7,

    /// <summary>Nobody may write before the ownership in doubt is resolved (<c>disksync owner</c>).</summary>
    OwnershipInDoubt = 8,

    /// <summary>Stopped by the user (Ctrl-C, SIGTERM, <c>disksync abort</c>); the state can be resumed.</summary>
    Interrupted = 9,
}
