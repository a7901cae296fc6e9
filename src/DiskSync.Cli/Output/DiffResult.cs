using DiskSync.Engine.Comparison;

namespace DiskSync.Cli.Output;

/// <summary>The JSON object of <c>disksync diff</c>.</summary>
/// <param name="Base">The base as named.</param>
/// <param name="Image">The image as named.</param>
/// <param name="Same">Whether length and content are the same.</param>
/// <param name="Granularity">Block size in bytes.</param>
/// <param name="BaseLength">Bytes.</param>
/// <param name="ImageLength">Bytes.</param>
/// <param name="Blocks">Blocks of the image.</param>
/// <param name="ChangedBlocks">Blocks that differ.</param>
/// <param name="ZeroedBlocks">Of them, blocks that read as zeros now.</param>
/// <param name="ChangedBytes">Bytes of the changed blocks.</param>
/// <param name="ZeroedBytes">Bytes of the zeroed blocks.</param>
/// <param name="PreciseBytes">Changed bytes in 4 KiB pieces; absent against a block map.</param>
/// <param name="ChangedExtents">Groups of neighbouring changed blocks.</param>
/// <param name="FirstDifference">Offset of the first difference; absent where the images are the same.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Picture">The picture written; absent without <c>--map</c>.</param>
/// <param name="Extents">The extents; absent without <c>--extents</c>.</param>
internal sealed record DiffResult(
    string Base,
    string Image,
    bool Same,
    int Granularity,
    long BaseLength,
    long ImageLength,
    long Blocks,
    long ChangedBlocks,
    long ZeroedBlocks,
    long ChangedBytes,
    long ZeroedBytes,
    long? PreciseBytes,
    long ChangedExtents,
    long? FirstDifference,
    double Seconds,
    string? Picture,
    IEnumerable<ExtentEntry>? Extents)
{
    /// <summary>The object of a comparison.</summary>
    public static DiffResult From(
        string baseName,
        string imageName,
        ComparisonResult result,
        double seconds,
        string? picture,
        IEnumerable<ExtentEntry>? extents) => new(
            baseName,
            imageName,
            result.Same,
            result.Geometry.Granularity,
            result.BaseLength,
            result.Geometry.Length,
            result.Geometry.BlockCount,
            result.ChangedBlocks,
            result.ZeroedBlocks,
            result.ChangedBytes,
            result.ZeroedBytes,
            result.PreciseBytes,
            result.ChangedExtents,
            result.FirstDifference < 0 ? null : result.FirstDifference,
            Math.Round(seconds, 3),
            picture,
            extents);
}
