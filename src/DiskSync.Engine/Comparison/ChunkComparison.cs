namespace DiskSync.Engine.Comparison;

/// <summary>How a chunk's blocks compare.</summary>
/// <param name="Runs">The runs, in order, covering the chunk.</param>
/// <param name="PreciseBytes">Changed bytes counted in 4 KiB sub-blocks.</param>
/// <param name="FirstDifference">The offset of the first byte that differs, or -1.</param>
internal sealed record ChunkComparison(List<StateRun> Runs, long PreciseBytes, long FirstDifference);
