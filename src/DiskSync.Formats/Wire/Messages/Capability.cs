namespace DiskSync.Formats.Wire.Messages;

/// <summary>What a side can do; a bit not known to both is not used.</summary>
[Flags]
public enum Capability : ulong
{
    /// <summary>Nothing beyond version 1.</summary>
    None = 0,

    /// <summary>LZ4 block payloads.</summary>
    Lz4 = 1 << 0,

    /// <summary>Sub-block patches.</summary>
    Patch = 1 << 1,

    /// <summary>Copies of blocks that the destination has.</summary>
    Copy = 1 << 2,

    /// <summary>The hand-over of ownership.</summary>
    HandOver = 1 << 3,

    /// <summary>Several connections per session.</summary>
    Connections = 1 << 4,

    /// <summary>Blocks asked for by the destination (reserved).</summary>
    OnDemand = 1 << 5,

    /// <summary>Batches whose payload is one zstd frame.</summary>
    Zstd = 1 << 6,

    /// <summary>Contents that another image of the destination holds.</summary>
    Seed = 1 << 7,

    /// <summary>Telling of a sealed image whether it is what the source has, without opening it.</summary>
    CheckImage = 1 << 8,

    /// <summary>Connections that become NBD connections, over which the source serves what an image that was handed over still misses.</summary>
    Tail = 1 << 9,

    /// <summary>Keeping the copy as it is at the end of a round.</summary>
    KeepRounds = 1 << 10,
}
