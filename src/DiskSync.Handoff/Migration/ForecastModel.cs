using DiskSync.Engine.Replication;
using DiskSync.Handoff.Hooks;

namespace DiskSync.Handoff.Migration;

/// <summary>Works out what a pause will take from what the rounds have shown.</summary>
/// <remarks>
/// With a hash scan the pause holds a scan of everything that is allocated; with nothing changing meanwhile, what is
/// left to send is what changes between the last round's reads and the pause: about as much as changed during the
/// last round. Where writes are tracked there is no scan, and what is dirty is known. The pause itself adds nothing to
/// it, because a paused guest writes nothing.
/// </remarks>
public static class ForecastModel
{
    private static readonly TimeSpan MinimumBudget = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MinimumFlush = TimeSpan.FromMilliseconds(50);

    /// <summary>Forecasts the pause.</summary>
    /// <param name="images">What the rounds of each image have shown.</param>
    /// <param name="lastFlush">How long the last checkpoint and proof took.</param>
    /// <param name="hooks">For each command that runs within the downtime what it took when it last ran; null where it has not.</param>
    public static Forecast Make(
        IReadOnlyList<ImageOutlook> images,
        TimeSpan lastFlush,
        IReadOnlyList<TimeSpan?> hooks)
    {
        double scan = 0;
        double delta = 0;
        foreach (ImageOutlook image in images)
        {
            RoundResult last = image.Last;
            double sendRate = Math.Max(Rate(image.Bulk.BytesSent, image.Bulk.Elapsed), Rate(last.BytesSent, last.Elapsed));
            if (image.Dirty is { } dirty)
            {
                // As they are: what was written lately may not be as compressible as what lay there.
                delta += sendRate > 0 ? dirty / sendRate : 0;
                continue;
            }

            double sending = sendRate > 0 ? last.BytesSent / sendRate : 0;

            // A round's time is its scan and its sending, overlapped; what sending does not explain is scan.
            scan += Math.Max(last.Elapsed.TotalSeconds - sending, last.Elapsed.TotalSeconds / 2);
            delta += sending;
        }

        return new Forecast(
            TimeSpan.FromSeconds(scan),
            TimeSpan.FromSeconds(delta),
            lastFlush > MinimumFlush ? lastFlush : MinimumFlush,
            TimeSpan.FromSeconds(hooks.Sum(h => (h ?? HookTimes.Guess).TotalSeconds)),
            hooks.Any(h => h is null));
    }

    /// <summary>What a pause takes at least where the last delta may be left to a tail.</summary>
    public static Forecast WithoutDelta(Forecast forecast) => forecast with { Scan = TimeSpan.Zero, Delta = TimeSpan.Zero };

    /// <summary>The downtime that is accepted where the user has said nothing: twice the forecast, and not so little that a busy moment uses it up.</summary>
    public static TimeSpan DefaultBudget(Forecast forecast) =>
        forecast.Total * 2 > MinimumBudget ? forecast.Total * 2 : MinimumBudget;

    /// <summary>Whether another round before the pause is likely to leave less for it.</summary>
    /// <param name="before">Bytes that changed in the round before.</param>
    /// <param name="last">Bytes that changed in the last round.</param>
    public static bool IsConverging(long before, long last) => last > 0 && last < before - (before / 5);

    /// <summary>Image bytes a second that an image's rounds have carried at best.</summary>
    public static double CarriedRate(IReadOnlyList<RoundResult> rounds) => rounds.Max(r => Rate(r.ChangedBytes, r.Elapsed));

    private static double Rate(long bytes, TimeSpan elapsed) =>
        elapsed > TimeSpan.Zero ? bytes / elapsed.TotalSeconds : 0;
}
