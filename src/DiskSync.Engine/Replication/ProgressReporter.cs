using DiskSync.Engine.Progress;

namespace DiskSync.Engine.Replication;

/// <summary>Reports a running operation to a sink, ten times a second and once at its end.</summary>
internal sealed class ProgressReporter : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private readonly IProgressSink _sink;
    private readonly Func<CopyProgress> _snapshot;
    private readonly Timer _timer;

    public ProgressReporter(IProgressSink sink, Func<CopyProgress> snapshot)
    {
        _sink = sink;
        _snapshot = snapshot;
        _timer = new Timer(_ => _sink.Report(_snapshot()), null, Interval, Interval);
    }

    public void Dispose()
    {
        _timer.Dispose();
        _sink.Report(_snapshot());
    }
}
