namespace DiskSync.Nbd.Wire;

/// <summary>What a client has done with an export (NBD_CMD_*).</summary>
public enum NbdCommand : ushort
{
    /// <summary>Read a range.</summary>
    Read = 0,

    /// <summary>Write a range; the data follow the request.</summary>
    Write = 1,

    /// <summary>Go away in order; unanswered.</summary>
    Disconnect = 2,

    /// <summary>Make all that was answered durable.</summary>
    Flush = 3,

    /// <summary>A range is no longer of interest.</summary>
    Trim = 4,

    /// <summary>A range will be read soon.</summary>
    Cache = 5,

    /// <summary>Make a range read as zeros.</summary>
    WriteZeroes = 6,

    /// <summary>What a range is like.</summary>
    BlockStatus = 7,
}
