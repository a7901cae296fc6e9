namespace DiskSync.Nbd.Wire;

/// <summary>How a command is to be done (NBD_CMD_FLAG_*).</summary>
[Flags]
public enum NbdCommandFlags : ushort
{
    /// <summary>As usual.</summary>
    None = 0,

    /// <summary>What it changes is durable when it is answered.</summary>
    Fua = 1 << 0,

    /// <summary>Zeros keep their space.</summary>
    NoHole = 1 << 1,

    /// <summary>Data come in one chunk.</summary>
    Df = 1 << 2,

    /// <summary>One extent for each kind of block status is enough.</summary>
    ReqOne = 1 << 3,

    /// <summary>Zeros only if that is faster than to write them.</summary>
    FastZero = 1 << 4,
}
