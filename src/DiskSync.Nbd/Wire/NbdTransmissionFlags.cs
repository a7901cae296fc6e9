namespace DiskSync.Nbd.Wire;

/// <summary>What an export can do (NBD_FLAG_*).</summary>
[Flags]
public enum NbdTransmissionFlags : ushort
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Always set.</summary>
    HasFlags = 1 << 0,

    /// <summary>It cannot be written.</summary>
    ReadOnly = 1 << 1,

    /// <summary>NBD_CMD_FLUSH.</summary>
    SendFlush = 1 << 2,

    /// <summary>NBD_CMD_FLAG_FUA.</summary>
    SendFua = 1 << 3,

    /// <summary>Order matters for speed.</summary>
    Rotational = 1 << 4,

    /// <summary>NBD_CMD_TRIM.</summary>
    SendTrim = 1 << 5,

    /// <summary>NBD_CMD_WRITE_ZEROES.</summary>
    SendWriteZeroes = 1 << 6,

    /// <summary>NBD_CMD_FLAG_DF.</summary>
    SendDf = 1 << 7,

    /// <summary>What one connection was told is done, a flush of any other makes durable.</summary>
    CanMultiConn = 1 << 8,

    /// <summary>NBD_CMD_CACHE.</summary>
    SendCache = 1 << 10,

    /// <summary>NBD_CMD_FLAG_FAST_ZERO.</summary>
    SendFastZero = 1 << 11,
}
