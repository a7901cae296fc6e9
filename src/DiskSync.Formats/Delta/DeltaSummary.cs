using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Formats.Delta;

/// <summary>What a whole delta does.</summary>
/// <param name="OldGeometry">The image it applies to.</param>
/// <param name="NewGeometry">The image it makes; the granularity is the same.</param>
/// <param name="OldRoot">The root the image must have.</param>
/// <param name="NewRoot">The root it will have.</param>
/// <param name="Records">How many records there are.</param>
/// <param name="Blocks">How many blocks they write.</param>
/// <param name="PayloadBytes">How many payload bytes they carry.</param>
public sealed record DeltaSummary(
    BlockGeometry OldGeometry,
    BlockGeometry NewGeometry,
    Hash256 OldRoot,
    Hash256 NewRoot,
    long Records,
    long Blocks,
    long PayloadBytes);
