namespace DiskSync.Formats.Wire;

/// <summary>How a batch entry gives a block's new content.</summary>
public enum BlockKind : byte
{
    /// <summary>A run of blocks that read as zeros; no payload, no hash.</summary>
    ZeroRun = 1,

    /// <summary>The payload is the block.</summary>
    Raw = 2,

    /// <summary>The payload is the block as one LZ4 block.</summary>
    Lz4 = 3,

    /// <summary>The payload is the changed 4 KiB sub-blocks, see <see cref="PatchPayload"/>.</summary>
    Patch = 4,

    /// <summary>The payload is the number of another block of the same image that has the content now.</summary>
    Copy = 5,

    /// <summary>No payload: the destination has the content in another of its images.</summary>
    Seed = 6,
}
