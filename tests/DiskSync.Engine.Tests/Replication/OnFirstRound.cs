using DiskSync.Engine.Progress;

namespace DiskSync.Engine.Tests.Replication;

/// <summary>Does something when the first round reports progress: the target is open by then.</summary>
/// <param name="action">What to do; called once or more often.</param>
internal sealed class OnFirstRound(Action action) : IProgressSink
{
    public void Report(CopyProgress progress)
    {
        if (progress.Phase == CopyPhase.BulkCopy)
        {
            action();
        }
    }
}
