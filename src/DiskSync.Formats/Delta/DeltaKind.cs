namespace DiskSync.Formats.Delta;

/// <summary>How a delta record gives a block's new content.</summary>
public enum DeltaKind : byte
{
    /// <summary>Zeros, for a run of blocks; no payload.</summary>
    Zero = 1,

    /// <summary>The payload is the block.</summary>
    Raw = 2,

    /// <summary>The payload is the block as one LZ4 block.</summary>
    Lz4 = 3,

    /// <summary>The payload is the changed 4 KiB sub-blocks (<see cref="Wire.PatchPayload"/>); the others stay.</summary>
    Patch = 4,
}
