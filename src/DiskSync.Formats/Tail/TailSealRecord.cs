using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Formats.Tail;

/// <summary>What an image with an on-demand tail came from; without it nothing serves the image (safety rule 10).</summary>
/// <param name="Image">The image's name, for people.</param>
/// <param name="Epoch">The epoch that was handed over; never 0.</param>
/// <param name="Geometry">The image's length and the granularity of <paramref name="Root"/>.</param>
/// <param name="Root">The root hash of the source's frozen image, or unknown.</param>
/// <param name="Attempt">The attempt that brought it; never <see cref="Guid.Empty"/>.</param>
/// <param name="MadeAtMs">UTC milliseconds since 1970.</param>
/// <param name="SourceHost">The source as its session named itself: for messages.</param>
/// <param name="SourceImage">The frozen image's own name there: for messages. May be empty.</param>
/// <remarks>Immutable.</remarks>
public sealed record TailSealRecord(
    string Image,
    ulong Epoch,
    BlockGeometry Geometry,
    Hash256 Root,
    Guid Attempt,
    long MadeAtMs,
    string SourceHost,
    string SourceImage);
