using DiskSync.Engine.Blocks;
using DiskSync.Formats.Seal;

namespace DiskSync.Engine.Exports;

/// <summary>How an image stands that an export waits for.</summary>
/// <param name="Image">The image, which may be served from now on; null where it may not. It stays whose it is.</param>
/// <param name="IsSoon">Whether it is worth waiting a moment: this host owns the image, and it is being finished.</param>
/// <param name="Why">Why it may not be served; empty where it may.</param>
public readonly record struct IncomingStanding(IBlockDevice? Image, bool IsSoon, string Why)
{
    /// <summary>Where parts of the image are still at its source: what it takes to serve it all the same, and only so. Null where it is whole.</summary>
    public IncomingTail? Tail { get; init; }

    /// <summary>The seal of the image that may be served, where nobody can have written it since it was sealed; else null.</summary>
    public SealRecord? Untouched { get; init; }
}
