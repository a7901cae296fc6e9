using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Comparison;

/// <summary>What hashing an image found.</summary>
/// <param name="Geometry">Its length and granularity.</param>
/// <param name="Root">Its root hash.</param>
/// <param name="ZeroBlocks">How many of its blocks read as zeros.</param>
public sealed record BlockMapSummary(BlockGeometry Geometry, Hash256 Root, long ZeroBlocks);
