using System.Diagnostics;
using DiskSync.Engine;
using DiskSync.Engine.Progress;
using DiskSync.Engine.Tracking;

namespace DiskSync.Handoff.Migration;

/// <summary>Slows a machine's writes just enough for its last delta to fit the accepted downtime, and never more than its user allows.</summary>
/// <remarks>
/// What a round leaves is what is written while it lasts: rounds shrink where less is written in a second than the link carries.
/// So writes are kept to a share of what it carries, to a smaller one after each round that has not shrunk. The
/// ceiling is the machine's own: no write is kept for longer than the allowed multiple of what its slowest hundredth took
/// before anything was slowed. Not thread safe.
/// </remarks>
internal sealed class WriteGovernor
{
    private const int MostRounds = 16;
    private const double FirstShare = 0.8;
    private const double NextShare = 0.6;
    private const double Share = 0.99;

    // Below this nobody notices, and a machine that writes into a cache would be allowed nothing at all.
    private static readonly TimeSpan LeastLatency = TimeSpan.FromMilliseconds(1);

    private readonly IReadOnlyList<ImageMigration> _images;
    private readonly double _maxSlowdown;
    private readonly IMigrationEvents _events;
    private readonly WriteLoad[] _first;
    private readonly long _began = Stopwatch.GetTimestamp();

    /// <summary>Begins to observe the machine before anything is copied.</summary>
    /// <param name="images">Images whose trackers can slow their writes.</param>
    /// <param name="maxSlowdown">The most that the machine's p99 of write latency may become, as a multiple of what it is now.</param>
    /// <param name="events">Told what is done.</param>
    public WriteGovernor(IReadOnlyList<ImageMigration> images, double maxSlowdown, IMigrationEvents events)
    {
        _images = images;
        _maxSlowdown = maxSlowdown;
        _events = events;
        _first = [.. images.Select(i => i.Load())];
    }

    /// <summary>Runs rounds with slowed writes until the forecast fits.</summary>
    /// <param name="runRound">Runs a round over the images.</param>
    /// <param name="forecast">Forecasts the pause.</param>
    /// <param name="budget">What the forecast has to fit.</param>
    /// <param name="linkRate">Image bytes a second that rounds have carried.</param>
    /// <param name="cancellationToken">Stops; writes are let go.</param>
    /// <returns>The forecast that fits; writes stay slowed until the pause.</returns>
    /// <exception cref="DiskSyncException">Even the slowest that is allowed is too fast (kind NotConverged); writes are let go.</exception>
    public async Task<Forecast> HoldAsync(
        Func<CancellationToken, Task> runRound, Func<Forecast> forecast, TimeSpan budget, double linkRate, CancellationToken cancellationToken)
    {
        WriteLoad[] before = [.. _images.Select(i => i.Load())];
        TimeSpan usual = Worst(_first, before);
        TimeSpan ceiling = (usual > LeastLatency ? usual : LeastLatency) * _maxSlowdown;
        double writeRate = before.Zip(_first, (b, f) => b.Written - f.Written).Sum() / Stopwatch.GetElapsedTime(_began).TotalSeconds;
        double rate = Math.Max(1, linkRate * FirstShare);
        try
        {
            _events.Notice(
                $"the machine writes {ByteSize.Format((long)writeRate)}/s and the link carries {ByteSize.Format((long)linkRate)}/s: slowing its writes, none by more than {ceiling.TotalMilliseconds:0.#} ms (p99 until now {usual.TotalMilliseconds:0.#} ms, --max-slowdown {_maxSlowdown:0.#})");
            long pending = _images.Sum(i => i.Pending());
            for (int round = 0; round < MostRounds; round++)
            {
                foreach (ImageMigration image in _images)
                {
                    // Of several images each may write its part; which one will is not known.
                    image.Slow(rate / _images.Count, ceiling);
                }

                await runRound(cancellationToken);
                Forecast next = forecast();
                if (next.Total <= budget)
                {
                    return next;
                }

                long left = _images.Sum(i => i.Pending());
                if (!ForecastModel.IsConverging(pending, left))
                {
                    rate *= NextShare;
                }

                pending = left;
            }

            WriteLoad[] after = [.. _images.Select(i => i.Load())];
            throw new DiskSyncException(
                FailureKind.NotConverged,
                $"the machine writes too fast for a pause of {budget.TotalSeconds:0.00} s: with writes slowed to a p99 of {Worst(before, after).TotalMilliseconds:0.#} ms (from {usual.TotalMilliseconds:0.#} ms, --max-slowdown {_maxSlowdown:0.#}) {ByteSize.Format(pending)} are still dirty, and the link carries {ByteSize.Format((long)linkRate)}/s; the guest was not paused",
                "Allow more with --max-downtime or --max-slowdown, or run it again when the guest writes less; what was copied is kept.");
        }
        catch
        {
            foreach (ImageMigration image in _images)
            {
                image.Slow(double.PositiveInfinity, TimeSpan.Zero);
            }

            throw;
        }
    }

    private static TimeSpan Worst(WriteLoad[] before, WriteLoad[] after) => before
        .Zip(after, (b, a) => LatencyHistogram.Percentile(b.Latencies, a.Latencies, Share))
        .Max();
}
