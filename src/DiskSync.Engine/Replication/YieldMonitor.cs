using DiskSync.Engine.Progress;
using DiskSync.Linux;

namespace DiskSync.Engine.Replication;

/// <summary>Makes a copy nice: puts this process behind others, marks its packets, and keeps the ceiling of its rate where others have room.</summary>
/// <remarks>
/// As a progress sink it sees when a guest is paused: from then on nobody waits longer than this copy's guest, and all of
/// it ends until the copy does. Disposing it ends it, too. Thread safe.
/// </remarks>
public sealed class YieldMonitor : IProgressSink, IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private readonly RateLimiter _limiter;
    private readonly AckDelays _acks;
    private readonly DiskContention[] _disks;
    private readonly IProgressSink _next;
    private readonly YieldGovernor _governor = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private int _lifted;

    /// <summary>Starts it.</summary>
    /// <param name="limiter">Whose ceiling it sets.</param>
    /// <param name="acks">What the connections note of their acks.</param>
    /// <param name="images">The images that are read.</param>
    /// <param name="next">Where progress is passed on to.</param>
    public YieldMonitor(RateLimiter limiter, AckDelays acks, IEnumerable<string> images, IProgressSink next)
    {
        _limiter = limiter;
        _acks = acks;
        _next = next;
        _disks = [.. images.Select(image => new DiskContention(() => DiskUse.Of(image), PressureStall.Io))];
        ProcessPriority.Lower();
        _loop = Task.Run(LoopAsync);
    }

    /// <inheritdoc/>
    public void Report(CopyProgress progress)
    {
        if (progress.Phase is CopyPhase.FinalDelta)
        {
            Lift();
        }

        _next.Report(progress);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        Lift();
        _stop.Dispose();
    }

    private void Lift()
    {
        if (Interlocked.Exchange(ref _lifted, 1) == 0)
        {
            _stop.Cancel();
            _limiter.Ceiling = 0;
            ProcessPriority.Restore();
        }
    }

    private async Task LoopAsync()
    {
        using PeriodicTimer timer = new(Interval);
        long last = TimeProvider.System.GetTimestamp();
        long sent = _limiter.BytesPassed;
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                TcpDelay.MarkLowerEffort();
                long now = TimeProvider.System.GetTimestamp();
                long total = _limiter.BytesPassed;
                TimeSpan elapsed = TimeProvider.System.GetElapsedTime(last, now);
                bool contended = _disks.Aggregate(false, (any, disk) => disk.Look(elapsed) || any);
                TimeSpan? acks = _acks.TakeQueueing();
                long ceiling = _governor.Decide(
                    new YieldSample(elapsed.TotalSeconds, total - sent, TcpDelay.Queueing() ?? acks, contended));
                if (Volatile.Read(ref _lifted) == 0 && ceiling != _limiter.Ceiling)
                {
                    _limiter.Ceiling = ceiling;
                }

                (last, sent) = (now, total);
            }
        }
        catch (OperationCanceledException)
        {
            // Over.
        }
    }
}
