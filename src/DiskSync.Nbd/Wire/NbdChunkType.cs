namespace DiskSync.Nbd.Wire;

/// <summary>Chunks of a structured reply (NBD_REPLY_TYPE_*).</summary>
public enum NbdChunkType : ushort
{
    /// <summary>Nothing more.</summary>
    None = 0,

    /// <summary>An offset and the data there.</summary>
    OffsetData = 1,

    /// <summary>An offset and how many zeros are there.</summary>
    OffsetHole = 2,

    /// <summary>Block status of one kind.</summary>
    BlockStatus = 5,

    /// <summary>The command failed.</summary>
    Error = (1 << 15) | 1,

    /// <summary>The command failed at an offset.</summary>
    ErrorOffset = (1 << 15) | 2,
}
