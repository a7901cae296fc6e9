using DiskSync.Engine.Progress;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Cli.Connecting;

/// <summary>Shows what the destination says it is doing while the source waits for it.</summary>
/// <param name="sink">Where snapshots go.</param>
internal sealed class PeerProgress(IProgressSink sink)
{
    /// <summary>Takes a progress message of the destination.</summary>
    public void Report(ushort image, Formats.Wire.Messages.Progress progress) =>
        sink.Report(new CopyProgress(PhaseOf(progress.Phase))
        {
            BytesDone = (long)progress.Done,
            BytesTotal = (long)progress.Total,
        });

    private static CopyPhase PhaseOf(ProgressPhase phase) => phase switch
    {
        ProgressPhase.Hashing => CopyPhase.Hashing,
        ProgressPhase.Cloning => CopyPhase.Cloning,
        ProgressPhase.ReadingBack => CopyPhase.Verifying,
        ProgressPhase.Flushing => CopyPhase.Flushing,
        ProgressPhase.Hook => CopyPhase.Hook,
        _ => CopyPhase.HandOver,
    };
}
