namespace DiskSync.Engine.Blocks;

/// <summary>A byte range of an image with one status.</summary>
/// <param name="Offset">First byte.</param>
/// <param name="Length">Length in bytes, more than 0.</param>
/// <param name="Kind">What the range holds.</param>
public readonly record struct Extent(long Offset, long Length, ExtentKind Kind)
{
    /// <summary>The byte after the last.</summary>
    public long End => Offset + Length;
}
