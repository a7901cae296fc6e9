using DiskSync.Codecs;
using DiskSync.Engine.Tracking;

namespace DiskSync.Engine.Exports.Lending;

/// <summary>A tracked image that an export may lend.</summary>
/// <param name="Path">Its real path.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Tracker">Its tracker.</param>
/// <param name="Baseline">What has changed since a state that is known by its root; null where no such state is known.</param>
public sealed record LendableImage(string Path, long Length, WriteTracker Tracker, TrackingBaseline? Baseline);
