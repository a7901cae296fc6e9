using DiskSync.Codecs;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Handoff.Ownership;

/// <summary>PREPARE as the destination's session hands it on, image indices already turned into identities.</summary>
/// <param name="Attempt">The attempt.</param>
/// <param name="Epoch">N+1.</param>
/// <param name="Images">The identities of the copies here (the paths that they will have when finished) and the roots that they must have.</param>
/// <param name="Resume">The peer's text: a hook's name, or over stdio a command.</param>
/// <param name="Peer">The source's host name, for messages.</param>
public sealed record PrepareRequest(
    Guid Attempt,
    ulong Epoch,
    IReadOnlyList<(string Image, Hash256 Root)> Images,
    string Resume,
    string Peer)
{
    /// <summary>For each image its name at the source where parts of the copies are still only there; null where the copies are whole.</summary>
    public IReadOnlyList<string>? TailSources { get; init; }

    /// <summary>The kind of record that promises this.</summary>
    public AttemptState Kind => TailSources is null ? AttemptState.Prepared : AttemptState.PreparedTail;
}
