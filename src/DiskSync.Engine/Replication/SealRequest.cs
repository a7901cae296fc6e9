using DiskSync.Codecs;

namespace DiskSync.Engine.Replication;

/// <summary>What a seal is to record.</summary>
/// <param name="Epoch">The epoch at which the image holds this content; 0 for a plain copy.</param>
/// <param name="Root">The root hash that the image must have.</param>
/// <param name="Attempt">The hand-over's attempt, or <see cref="Guid.Empty"/>.</param>
public sealed record SealRequest(ulong Epoch, Hash256 Root, Guid Attempt)
{
    /// <summary>Whether parts of the image are still at its source: then it gets NAME.incomplete-EPOCH and a tail seal, and the root is that of the copy as it is (docs/tail.md).</summary>
    public bool IsIncomplete { get; init; }
}
