using System.Diagnostics;

namespace DiskSync.Engine.Replication;

/// <summary>Keeps as many connections open as a transfer should have, and takes their work from those that are stuck.</summary>
/// <param name="pool">The connections.</param>
/// <param name="more">How many are wanted.</param>
/// <param name="limiter">What they are held to; while a limit holds their number does not grow, since no more could arrive. Null for nothing.</param>
internal sealed class LaneGovernor(LanePool pool, MoreConnections more, RateLimiter? limiter)
{
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestInterval = TimeSpan.FromSeconds(5);

    // What arrives in a few round trips is chance: congestion control probes, and a hole that is filled lets much arrive at once.
    private const int RoundTripsAnInterval = 16;
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(2);

    // A connection that has brought nothing for so long, and for so many times as long as the others take for a batch,
    // while another one has nothing to do, holds everybody up.
    private static readonly TimeSpan Stuck = TimeSpan.FromSeconds(3);
    private const int StuckBatches = 5;
    private const long UsualBatch = 1 << 20;

    private readonly ConnectionGrowth _growth = new(MoreConnections.Most);
    private long _notBefore;

    /// <summary>Works until it is stopped; never fails.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        TimeSpan interval = pool.First.RoundTrip * RoundTripsAnInterval;
        interval = interval < ShortestInterval ? ShortestInterval : interval > LongestInterval ? LongestInterval : interval;
        try
        {
            await AdjustAsync(cancellationToken);
            while (true)
            {
                long start = Stopwatch.GetTimestamp();
                long bytes = pool.BytesDelivered;
                TimeSpan waited = pool.Waited;
                await Task.Delay(interval, cancellationToken);
                if (limiter is not { Rate: > 0 })
                {
                    _growth.Observe(Stopwatch.GetElapsedTime(start), pool.BytesDelivered - bytes, pool.Waited - waited);
                }

                BreakStuck();
                await AdjustAsync(cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The session has ended.
        }
    }

    private async Task AdjustAsync(CancellationToken cancellationToken)
    {
        int wanted = Math.Clamp(more.Count ?? _growth.Wanted, 1, MoreConnections.Most);
        SourceLane[] alive = pool.Taking();
        foreach (SourceLane lane in alive.Skip(wanted))
        {
            pool.Retire(lane);
        }

        if (alive.Length == 0 || alive.Length >= wanted || Stopwatch.GetTimestamp() < _notBefore)
        {
            return;
        }

        try
        {
            await Task.WhenAll(Enumerable.Range(0, wanted - alive.Length).Select(_ => pool.OpenOneAsync(cancellationToken)));
        }
        catch (DiskSyncException)
        {
            // Those that are there go on; whether they are all lost is found out by their own loss.
            _notBefore = Stopwatch.GetTimestamp() + (long)(PauseAfterFailure.TotalSeconds * Stopwatch.Frequency);
        }
    }

    private void BreakStuck()
    {
        SourceLane[] alive = pool.Taking();
        double rate = alive.Length == 0 ? 0 : alive.Max(l => l.Load.Rate);
        if (rate <= 0 || !alive.Any(l => l.Load.IsIdle))
        {
            return;
        }

        TimeSpan usual = TimeSpan.FromSeconds(Math.Min(StuckBatches * UsualBatch / rate, 60));
        foreach (SourceLane lane in alive)
        {
            if (lane.Load.Waiting > (usual > Stuck ? usual : Stuck))
            {
                lane.Break("nothing arrived on it for long, while the others had nothing left to do");
            }
        }
    }
}
