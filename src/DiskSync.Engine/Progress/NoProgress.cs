namespace DiskSync.Engine.Progress;

/// <summary>The sink for callers that want no progress.</summary>
public sealed class NoProgress : IProgressSink
{
    private NoProgress()
    {
    }

    /// <summary>The one instance; thread safe.</summary>
    public static NoProgress Instance { get; } = new();

    /// <inheritdoc/>
    public void Report(CopyProgress progress)
    {
        // Nobody listens.
    }
}
