using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Formats.SavedMap;

/// <summary>What a saved map is of, and what must still be so for it to be believed.</summary>
/// <param name="Source">The source's full path, for people.</param>
/// <param name="Geometry">The source's length and the granularity of the map.</param>
/// <param name="Root">The root hash over the map; never unknown.</param>
/// <param name="SavedAtMs">UTC milliseconds since 1970.</param>
/// <param name="Identity">The source as it was when nobody could write it and its map was complete.</param>
/// <remarks>Immutable.</remarks>
public sealed record SavedMapRecord(
    string Source, BlockGeometry Geometry, Hash256 Root, long SavedAtMs, SourceIdentity Identity);
