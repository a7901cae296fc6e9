using DiskSync.Codecs;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Formats.Journal;

/// <summary>One record of the ownership journal: what became of one image in one attempt (design section 5).</summary>
/// <param name="Image">The image's identity: the canonical path of a file, the stable id of a device. Never empty.</param>
/// <param name="Attempt">The attempt.</param>
/// <param name="Epoch">The epoch of the record.</param>
/// <param name="State">What is recorded; never <see cref="AttemptState.None"/>.</param>
/// <param name="Root">The root hash the image had, or unknown where nothing was verified yet.</param>
/// <param name="TimeMs">UTC milliseconds since 1970, for people; nothing is decided by it.</param>
/// <param name="Peer">The other side as the user named it.</param>
/// <param name="Command">What is owed to the guest (the unpause or the resume command), or empty.</param>
/// <param name="Images">The identities of all images of the attempt on this host, at most <see cref="Wire.WireLimits.MaxImages"/>.</param>
/// <remarks>Immutable. Two records with equal lists are equal only where the lists are the same object; compare their bytes.</remarks>
public sealed record OwnershipRecord(
    string Image,
    Guid Attempt,
    ulong Epoch,
    AttemptState State,
    Hash256 Root,
    long TimeMs,
    string Peer,
    string Command,
    IReadOnlyList<string> Images);
