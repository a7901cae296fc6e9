using DiskSync.Codecs;

namespace DiskSync.Engine.Replication;

/// <summary>What a seal is to record.</summary>
/// <param name="Epoch">The epoch at which the image holds this content; 0 for a plain copy.</param>
/// <param name="Root">The root hash that the image must have.</param>
/// <param name="Attempt">The hand-over's attempt, or <see cref="Guid.Empty"/>.</param>
public sealed record SealRequest(ulong Epoch, Hash256 Root, Guid Attempt);
