namespace DiskSync.Formats.Journal;

/// <summary>Neighbouring regions of an image; a region is one page of the map, 256 blocks.</summary>
/// <param name="First">The first region.</param>
/// <param name="Count">How many, at least 1.</param>
public readonly record struct RegionRange(long First, long Count)
{
    /// <summary>How many blocks a region has; the image's last one may have fewer.</summary>
    public const int BlocksPerRegion = 256;

    /// <summary>How many regions an image has.</summary>
    /// <param name="blockCount">The image's blocks.</param>
    public static long RegionsOf(long blockCount) => (blockCount + BlocksPerRegion - 1) / BlocksPerRegion;
}
