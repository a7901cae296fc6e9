namespace DiskSync.Nbd.Wire;

/// <summary>Block status of the kind base:allocation (NBD_STATE_*).</summary>
[Flags]
public enum NbdExtentFlags : uint
{
    /// <summary>Data.</summary>
    None = 0,

    /// <summary>No space is taken.</summary>
    Hole = 1 << 0,

    /// <summary>It reads as zeros.</summary>
    Zero = 1 << 1,
}
