namespace DiskSync.Nbd.Wire;

/// <summary>What a server offers before options are negotiated, and a client takes up.</summary>
[Flags]
public enum NbdHandshakeFlags : uint
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>NBD_FLAG_FIXED_NEWSTYLE: options are answered, unknown ones too.</summary>
    FixedNewstyle = 1 << 0,

    /// <summary>NBD_FLAG_NO_ZEROES: the answer to NBD_OPT_EXPORT_NAME ends without 124 zeros.</summary>
    NoZeroes = 1 << 1,
}
