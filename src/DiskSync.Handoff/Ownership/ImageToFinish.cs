using DiskSync.Codecs;

namespace DiskSync.Handoff.Ownership;

/// <summary>An image at the destination that the journal says is owned, and the seal that it must carry.</summary>
/// <param name="Image">The image's identity.</param>
/// <param name="Epoch">The epoch that is owned.</param>
/// <param name="Root">The root that was verified before PREPARED.</param>
public readonly record struct ImageToFinish(string Image, ulong Epoch, Hash256 Root);
