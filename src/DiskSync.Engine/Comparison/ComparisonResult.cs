using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Comparison;

/// <summary>How an image compares with its base; immutable.</summary>
/// <param name="BaseLength">The base's length in bytes.</param>
/// <param name="Geometry">The image's length and the granularity of the comparison.</param>
/// <param name="ChangedBlocks">Blocks of the image that differ, those past the end of the base included.</param>
/// <param name="ZeroedBlocks">How many of them read as zeros.</param>
/// <param name="ChangedBytes">Bytes of the changed blocks.</param>
/// <param name="ZeroedBytes">Bytes of the zeroed blocks.</param>
/// <param name="PreciseBytes">Changed bytes counted in 4 KiB sub-blocks; null where only hashes were compared.</param>
/// <param name="ChangedExtents">Groups of neighbouring changed blocks.</param>
/// <param name="FirstDifference">
/// The offset of the first byte that differs (of the first block that differs, where only hashes were compared);
/// the shorter length where one image is the start of the other; -1 where they are the same.
/// </param>
public sealed record ComparisonResult(
    long BaseLength,
    BlockGeometry Geometry,
    long ChangedBlocks,
    long ZeroedBlocks,
    long ChangedBytes,
    long ZeroedBytes,
    long? PreciseBytes,
    long ChangedExtents,
    long FirstDifference)
{
    /// <summary>Whether length and content are the same.</summary>
    public bool Same => ChangedBlocks == 0 && BaseLength == Geometry.Length;
}
