using System.Diagnostics;
using DiskSync.Engine.Replication;
using DiskSync.Handoff.Ownership;

namespace DiskSync.Handoff.Migration;

/// <summary>What the switchover of a migration works with.</summary>
/// <param name="Attempt">The attempt.</param>
/// <param name="Session">The session with the destination.</param>
/// <param name="Images">The images.</param>
/// <param name="Rounds">Their rounds.</param>
/// <param name="Forecast">What the pause is expected to take.</param>
/// <param name="MaxDowntime">The downtime that is accepted.</param>
/// <param name="Proof">How long the proof before the pause took.</param>
/// <param name="WithTail">Whether the rest of the last delta may be left to a tail.</param>
/// <param name="Start">When the migration began, as a timestamp.</param>
internal sealed record Switchover(
    SourceAttempt Attempt,
    SourceSession Session,
    List<ImageMigration> Images,
    MigrationRounds Rounds,
    Forecast Forecast,
    TimeSpan MaxDowntime,
    TimeSpan Proof,
    bool WithTail,
    long Start)
{
    /// <summary>Image bytes a second that the rounds have carried at best; at least 1.</summary>
    public double Rate => Math.Max(1, Images.Max(i => ForecastModel.CarriedRate(i.Rounds)));

    /// <summary>Whether the rest of the last delta has to be left to the tail, so that what is on the way, its proof and the machine's start fit the accepted downtime.</summary>
    /// <param name="downSince">Since when the machine stands still, as a timestamp.</param>
    /// <param name="resume">What the machine's start is expected to take.</param>
    public Func<long, bool>? IsEnough(long downSince, TimeSpan resume)
    {
        if (!WithTail)
        {
            return null;
        }

        double rate = Rate;

        // A pause that does not fit is called off, and with it all of the attempt: a quarter is kept for what was not foreseen.
        TimeSpan reserve = Forecast.Flush + resume + (MaxDowntime / 4);
        return onTheWay => Stopwatch.GetElapsedTime(downSince) + TimeSpan.FromSeconds(onTheWay / rate) + reserve >= MaxDowntime;
    }
}
