using DiskSync.Codecs;
using DiskSync.Formats.ExportControl;
using DiskSync.Formats.SavedMap;

namespace DiskSync.Formats.Tracking;

/// <summary>What an export that was stopped in order knew of its image: what has changed since a state that another host has, too.</summary>
/// <param name="Image">The image's real path or identity, for people.</param>
/// <param name="Length">The image's length in bytes.</param>
/// <param name="Root">The root of what the image held at the baseline; never unknown.</param>
/// <param name="Epoch">The epoch with which it came here.</param>
/// <param name="Identity">The image as it was when nobody could write it any more.</param>
/// <param name="Chunks">What was written since the baseline, in ascending order.</param>
/// <remarks>Immutable.</remarks>
public sealed record TrackingRecord(
    string Image, long Length, Hash256 Root, ulong Epoch, SourceIdentity Identity, IReadOnlyList<DirtyBits> Chunks);
