using DiskSync.Formats.Wire.Messages;
using WireProgress = DiskSync.Formats.Wire.Messages.Progress;

namespace DiskSync.Engine.Replication;

/// <summary>Tells the source what this side is doing, at most five times a second; it also shows that this side is alive.</summary>
/// <param name="connection">The connection.</param>
internal sealed class ReceiverProgress(Connection connection)
{
    private const long IntervalMilliseconds = 200;

    /// <summary>A report of one operation of a phase: bytes done and bytes in all.</summary>
    public Action<long, long> Of(ushort image, ProgressPhase phase)
    {
        Action<ProgressPhase, long, long> report = Of(image);
        return (done, total) => report(phase, done, total);
    }

    /// <summary>A report of one operation with several phases.</summary>
    public Action<ProgressPhase, long, long> Of(ushort image)
    {
        long last = 0;
        return (phase, done, total) =>
        {
            long now = Environment.TickCount64;
            if (now - last >= IntervalMilliseconds)
            {
                last = now;
                _ = SendQuietlyAsync(image, new WireProgress(phase, (ulong)done, (ulong)total));
            }
        };
    }

    private async Task SendQuietlyAsync(ushort image, WireProgress progress)
    {
        try
        {
            await connection.SendAsync(image, progress, CancellationToken.None);
        }
        catch (Exception exception) when (exception is DiskSyncException or ObjectDisposedException)
        {
            // The receiving loop reports the loss.
        }
    }
}
