namespace DiskSync.Cli.Output;

/// <summary>The JSON object of <c>disksync apply</c>.</summary>
/// <param name="Delta">The delta file as named.</param>
/// <param name="Target">The target as named.</param>
/// <param name="Length">The target's length now, in bytes.</param>
/// <param name="Root">The target's root hash now, proven.</param>
/// <param name="Granularity">Block size in bytes.</param>
/// <param name="WrittenBlocks">Blocks written by this run.</param>
/// <param name="SkippedBlocks">Blocks that an earlier run had written.</param>
/// <param name="Resumed">Whether an earlier run had begun.</param>
/// <param name="Seconds">How long it took.</param>
internal sealed record ApplyReport(
    string Delta,
    string Target,
    long Length,
    string Root,
    int Granularity,
    long WrittenBlocks,
    long SkippedBlocks,
    bool Resumed,
    double Seconds);
