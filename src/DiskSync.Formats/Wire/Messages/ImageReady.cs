using DiskSync.Codecs;

namespace DiskSync.Formats.Wire.Messages;

/// <summary>Destination to source, the answer to <see cref="OpenImage"/>: the target is locked and writable.</summary>
/// <remarks>Earlier sessions on this target have been fenced and drained when this is sent (safety rule 2).</remarks>
/// <param name="Fence">The session's fencing number on this target.</param>
/// <param name="State">What the target holds.</param>
/// <param name="KnownBlocks">How many blocks' hashes the destination knows.</param>
/// <param name="MapRoot">The root of the destination's map as it is now.</param>
/// <param name="Epoch">The epoch of the image that stands at the target's name, or 0.</param>
/// <param name="StagedAs">The path that is written, for messages.</param>
/// <param name="BaseUsed">The base that the copy started from, or empty.</param>
/// <param name="Notice">Something the user should know (a journal that was not trusted, a base that was hashed again), or empty.</param>
public sealed record ImageReady(
    ulong Fence,
    TargetState State,
    ulong KnownBlocks,
    Hash256 MapRoot,
    ulong Epoch,
    string StagedAs,
    string BaseUsed,
    string Notice) : Message;
