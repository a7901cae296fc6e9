namespace DiskSync.Engine.Comparison;

/// <summary>How a block of an image compares with the same block of its base.</summary>
public enum BlockState
{
    /// <summary>The same zeros: unallocated in both, so nobody had to look; or, where hashes are compared, zeros in both.</summary>
    Hole,

    /// <summary>The same content.</summary>
    Same,

    /// <summary>Other content.</summary>
    Changed,

    /// <summary>Other content: zeros now.</summary>
    Zeroed,
}
