using DiskSync.Engine.Progress;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Comparison;

/// <summary>What the comparing, hashing and patching operations have in common.</summary>
public sealed record ComparisonOptions
{
    /// <summary>The block size; <see cref="BlockGeometry.DefaultGranularity"/> unless set.</summary>
    public int Granularity { get; init; } = BlockGeometry.DefaultGranularity;

    /// <summary>Threads that read and compare; as many as there are processors, at most 8.</summary>
    public int Workers { get; init; } = Math.Clamp(Environment.ProcessorCount, 1, 8);

    /// <summary>Told how far it is.</summary>
    public IProgressSink Progress { get; init; } = NoProgress.Instance;

    /// <summary>Told every run of blocks that compare alike, in order, on the calling thread; null where nobody asks.</summary>
    public Action<StateRun>? OnRun { get; init; }
}
