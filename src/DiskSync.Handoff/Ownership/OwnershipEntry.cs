using DiskSync.Codecs;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Handoff.Ownership;

/// <summary>One record of the ownership journal: what became of one image in one attempt.</summary>
/// <remarks>Immutable. An attempt of several images writes one entry per image, all in one transaction.</remarks>
/// <param name="Image">The image's identity: the canonical path of a file, the stable id of a device.</param>
/// <param name="Attempt">The attempt, or <see cref="Guid.Empty"/> for an adopted image.</param>
/// <param name="Epoch">
/// For <see cref="AttemptState.Owner"/> and <see cref="AttemptState.Running"/> the epoch that is owned; for every
/// other kind the epoch that the attempt would give to the other side.
/// </param>
/// <param name="Kind">What is recorded.</param>
/// <param name="Root">The root hash that the image had, or unknown where nothing was verified yet.</param>
/// <param name="Time">When, for people; nothing is decided by it.</param>
/// <param name="Peer">The other side as the user named it: where <c>disksync owner</c> asks.</param>
/// <param name="Command">
/// What is owed to the guest: the unpause command or <c>qmp:SOCKET</c> in a Paused entry, the resume command or hook in a
/// Prepared one; empty in all others.
/// </param>
/// <param name="Images">The identities of all images of the attempt on this host, in the attempt's order.</param>
public sealed record OwnershipEntry(
    string Image,
    Guid Attempt,
    ulong Epoch,
    AttemptState Kind,
    Hash256 Root,
    DateTimeOffset Time,
    string Peer,
    string Command,
    IReadOnlyList<string> Images)
{
    /// <summary>The same attempt and image at its next step.</summary>
    /// <param name="kind">The step.</param>
    /// <param name="epoch">Its epoch.</param>
    /// <param name="time">When.</param>
    public OwnershipEntry Next(AttemptState kind, ulong epoch, DateTimeOffset time) =>
        this with { Kind = kind, Epoch = epoch, Time = time, Command = string.Empty };
}
