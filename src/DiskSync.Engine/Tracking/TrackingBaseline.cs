using DiskSync.Codecs;

namespace DiskSync.Engine.Tracking;

/// <summary>A state of an image that is known by its root, and everything that was written since.</summary>
/// <param name="Root">The root of what the image held then.</param>
/// <param name="Epoch">The epoch of the seal that says so.</param>
/// <param name="Since">What was written since.</param>
public sealed record TrackingBaseline(Hash256 Root, ulong Epoch, DirtyMap Since);
