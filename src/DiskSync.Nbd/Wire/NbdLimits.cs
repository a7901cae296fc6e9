namespace DiskSync.Nbd.Wire;

/// <summary>Caps of what a peer may ask for.</summary>
public static class NbdLimits
{
    /// <summary>Bytes of a read, of a write and of a range to be cached: what clients assume where nothing is said, and a power of two.</summary>
    public const int MaxPayload = 32 << 20;

    /// <summary>Bytes of an export's name, and of a block status query.</summary>
    public const int MaxString = 4096;

    /// <summary>Bytes of an option's data.</summary>
    public const int MaxOption = 64 << 10;

    /// <summary>Options of one negotiation: more is no negotiation but a way to hold the server up.</summary>
    public const int MaxOptions = 256;

    /// <summary>Queries in one option about kinds of block status.</summary>
    public const int MaxQueries = 256;

    /// <summary>Extents in one answer about block status.</summary>
    public const int MaxExtents = 4096;
}
