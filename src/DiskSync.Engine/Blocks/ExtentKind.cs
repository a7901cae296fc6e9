namespace DiskSync.Engine.Blocks;

/// <summary>What a byte range of an image holds.</summary>
public enum ExtentKind
{
    /// <summary>Content that must be read to be known.</summary>
    Data,

    /// <summary>Reads as zeros, and space is allocated for it.</summary>
    Zero,

    /// <summary>Reads as zeros, and no space is allocated.</summary>
    Hole,
}
