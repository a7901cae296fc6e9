namespace DiskSync.Engine.Progress;

/// <summary>Takes snapshots of a long operation: a terminal, a log, a JSON stream, a test.</summary>
/// <remarks>
/// <see cref="Report"/> may be called from any thread, as often as the caller likes; it must return at once (the
/// displays keep the latest snapshot and draw on a timer of their own) and must not throw.
/// </remarks>
public interface IProgressSink
{
    /// <summary>Hands over the latest snapshot.</summary>
    void Report(CopyProgress progress);
}
