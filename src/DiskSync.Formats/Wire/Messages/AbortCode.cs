namespace DiskSync.Formats.Wire.Messages;

/// <summary>The kind of failure that ended a session.</summary>
public enum AbortCode : ushort
{
    /// <summary>The peer broke the protocol.</summary>
    Protocol = 1,

    /// <summary>The source image failed.</summary>
    SourceError = 3,

    /// <summary>The destination image failed.</summary>
    DestinationError = 4,

    /// <summary>A check before the first write said no.</summary>
    Refused = 6,

    /// <summary>Ownership must be resolved first.</summary>
    OwnershipInDoubt = 8,

    /// <summary>Stopped by its user; can be resumed.</summary>
    Interrupted = 9,

    /// <summary>A bug.</summary>
    Internal = 10,
}
