using System.Diagnostics;
using DiskSync.Formats.ExportControl;

namespace DiskSync.Engine.Tracking;

/// <summary>How long writes took, in buckets that are a quarter of an octave wide, from 1 microsecond to an hour.</summary>
/// <remarks>Thread safe and without a lock; a reader may miss what is being added.</remarks>
public sealed class LatencyHistogram
{
    private const int StepsAnOctave = 4;
    private readonly long[] _buckets = new long[Load.Buckets];

    /// <summary>Adds one.</summary>
    /// <param name="elapsed">How long it took.</param>
    public void Add(TimeSpan elapsed)
    {
        double micros = Math.Max(1, elapsed.TotalMicroseconds);
        int bucket = Math.Min((int)(Math.Log2(micros) * StepsAnOctave), _buckets.Length - 1);
        Interlocked.Increment(ref _buckets[bucket]);
    }

    /// <summary>Adds one that began at a timestamp.</summary>
    /// <param name="start">From <see cref="Stopwatch.GetTimestamp"/>.</param>
    public void AddSince(long start) => Add(Stopwatch.GetElapsedTime(start));

    /// <summary>The counts so far, to compare with later.</summary>
    public long[] Snapshot() => [.. _buckets.Select((_, i) => Interlocked.Read(ref _buckets[i]))];

    /// <summary>How many were added between two snapshots.</summary>
    public static long Count(long[] before, long[] after) => after.Zip(before, (a, b) => a - b).Sum();

    /// <summary>What a share of those between two snapshots stayed within; the upper edge of its bucket, so a fifth too much at most.</summary>
    /// <param name="before">The earlier snapshot.</param>
    /// <param name="after">The later one.</param>
    /// <param name="share">0.99 for the 99th percentile.</param>
    /// <returns>Zero where nothing was added.</returns>
    public static TimeSpan Percentile(long[] before, long[] after, double share)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        long wanted = (long)Math.Ceiling(Count(before, after) * share);
        long seen = 0;
        for (int i = 0; i < after.Length && wanted > 0; i++)
        {
            seen += after[i] - before[i];
            if (seen >= wanted)
            {
                return TimeSpan.FromMicroseconds(Math.Pow(2, (i + 1) / (double)StepsAnOctave));
            }
        }

        return TimeSpan.Zero;
    }
}
