using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Formats.Seal;

/// <summary>What a destination image held at an epoch; without it an image is partial (safety rule 7).</summary>
/// <param name="Image">The image's name, for people.</param>
/// <param name="Epoch">The epoch, 0 for a plain copy that moved no ownership.</param>
/// <param name="Geometry">The image's length and the granularity of <paramref name="Root"/>.</param>
/// <param name="Root">The root hash; unknown only where an image came with a tail and the source had not hashed all of it: then the stamp is zero and fits no file.</param>
/// <param name="Attempt">The attempt that brought it, or <see cref="Guid.Empty"/>.</param>
/// <param name="SealedAtMs">UTC milliseconds since 1970.</param>
/// <param name="Stamp">What stat said of the image's file when it was sealed; all zero for a device.</param>
/// <remarks>Immutable.</remarks>
public sealed record SealRecord(
    string Image,
    ulong Epoch,
    BlockGeometry Geometry,
    Hash256 Root,
    Guid Attempt,
    long SealedAtMs,
    FileStamp Stamp)
{
    /// <summary>The boot under which the image stood still when it was sealed, so that as long as the host runs every later write moves the stamp; empty where that cannot be said.</summary>
    public Guid SettledBoot { get; init; }
}
