namespace DiskSync.Engine.Progress;

/// <summary>A rate in bytes a second, smoothed over the last few seconds.</summary>
/// <remarks>
/// An exponential average with a time constant of three seconds: quick enough to show that a link has slowed down,
/// slow enough that the remaining time does not jump. Not thread safe.
/// </remarks>
public sealed class RateMeter
{
    private const double TimeConstantSeconds = 3;
    private readonly TimeProvider _time;
    private readonly long _start;
    private long _lastStamp;
    private long _lastBytes;
    private double _rate;

    /// <summary>Starts at zero bytes, now.</summary>
    /// <param name="time">The clock; the system's where null.</param>
    public RateMeter(TimeProvider? time = null)
    {
        _time = time ?? TimeProvider.System;
        _start = _time.GetTimestamp();
        _lastStamp = _start;
    }

    /// <summary>Bytes a second, 0 until the first tenth of a second has passed.</summary>
    public double BytesPerSecond => _rate;

    /// <summary>Takes the total so far; totals that go back restart the average.</summary>
    public void Update(long totalBytes)
    {
        long now = _time.GetTimestamp();
        double seconds = _time.GetElapsedTime(_lastStamp, now).TotalSeconds;
        if (totalBytes < _lastBytes)
        {
            _rate = 0;
            _lastBytes = totalBytes;
            _lastStamp = now;
            return;
        }

        // Shorter steps than this measure the scheduler, not the copy.
        if (seconds < 0.1)
        {
            return;
        }

        double current = (totalBytes - _lastBytes) / seconds;
        double age = _time.GetElapsedTime(_start, now).TotalSeconds;
        double weight = 1 - Math.Exp(-seconds / Math.Min(TimeConstantSeconds, age));
        _rate = _rate == 0 ? current : _rate + (weight * (current - _rate));
        _lastBytes = totalBytes;
        _lastStamp = now;
    }
}
