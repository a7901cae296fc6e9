using DiskSync.Codecs;

namespace DiskSync.Formats.Wire.Messages;

/// <summary>Source to destination: lock the target, stage the copy.</summary>
/// <remarks>May take long where something must be hashed or cloned first; the destination sends <see cref="Progress"/> meanwhile. Answered by <see cref="ImageReady"/>.</remarks>
/// <param name="Name">The target, relative to the receiver's root.</param>
/// <param name="Length">The image's length in bytes.</param>
/// <param name="Granularity">The block size in bytes.</param>
/// <param name="Flags">How the target is to be written.</param>
/// <param name="Base">Where the copy starts from when nothing is staged.</param>
/// <param name="BaseName">The base's name where <paramref name="Base"/> is <see cref="BaseChoice.Named"/>.</param>
/// <param name="BaseRoot">The root that the base must have, or unknown where any will do.</param>
/// <param name="Mode">Permission bits for a new image, or <see cref="uint.MaxValue"/> for "as before".</param>
/// <param name="Owner">user:group for a new image, or empty.</param>
public sealed record OpenImage(
    string Name,
    ulong Length,
    uint Granularity,
    OpenFlags Flags,
    BaseChoice Base,
    string BaseName,
    Hash256 BaseRoot,
    uint Mode,
    string Owner) : Message;
