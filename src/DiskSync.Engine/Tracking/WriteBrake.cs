using System.Diagnostics;

namespace DiskSync.Engine.Tracking;

/// <summary>Slows writes to a rate of bytes a second, and no single one by more than a ceiling.</summary>
/// <remarks>
/// Writes are let through in the order in which they came, each when the ones before have used up their time at the rate; a
/// pause in the writing is credit for a tenth of a second and no more. Off, it costs one read. Thread safe; the
/// waiting is done by the thread that writes.
/// </remarks>
public sealed class WriteBrake
{
    private static readonly TimeSpan Credit = TimeSpan.FromMilliseconds(100);

    private readonly Lock _lock = new();
    private Setting? _setting;
    private long _free;

    /// <summary>The rate in bytes a second; infinite where writes are not slowed.</summary>
    public double Rate => Volatile.Read(ref _setting)?.Rate ?? double.PositiveInfinity;

    /// <summary>Slows writes from now on, or lets them go.</summary>
    /// <param name="rate">Bytes a second, above 0; infinite to let them go.</param>
    /// <param name="ceiling">The longest that one write may be kept.</param>
    public void Set(double rate, TimeSpan ceiling)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rate);
        lock (_lock)
        {
            Volatile.Write(ref _setting, double.IsInfinity(rate) ? null : new Setting(rate, ceiling));
        }
    }

    /// <summary>Keeps a write for as long as the rate asks.</summary>
    /// <param name="length">Its bytes.</param>
    public void Wait(long length)
    {
        if (Volatile.Read(ref _setting) is { } setting && Delay(setting, length) is var delay && delay > TimeSpan.Zero)
        {
            Thread.Sleep(delay);
        }
    }

    private TimeSpan Delay(Setting setting, long length)
    {
        lock (_lock)
        {
            long now = Stopwatch.GetTimestamp();
            long earliest = now - (long)(Credit.TotalSeconds * Stopwatch.Frequency);

            // What the ceiling has let through early is not owed by those that come later.
            long latest = now + (long)(setting.Ceiling.TotalSeconds * Stopwatch.Frequency);
            long from = Math.Clamp(_free, earliest, latest);
            _free = from + (long)(length / setting.Rate * Stopwatch.Frequency);
            return Stopwatch.GetElapsedTime(now, from);
        }
    }

    private sealed record Setting(double Rate, TimeSpan Ceiling);
}
