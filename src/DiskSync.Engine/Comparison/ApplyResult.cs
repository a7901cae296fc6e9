using DiskSync.Formats.Delta;

namespace DiskSync.Engine.Comparison;

/// <summary>What applying a delta did.</summary>
/// <param name="Summary">The delta.</param>
/// <param name="WrittenBlocks">Blocks written by this run.</param>
/// <param name="SkippedBlocks">Blocks that an earlier run had written.</param>
/// <param name="Resumed">Whether an earlier run had begun.</param>
public sealed record ApplyResult(DeltaSummary Summary, long WrittenBlocks, long SkippedBlocks, bool Resumed);
