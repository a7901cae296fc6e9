namespace DiskSync.Engine.Replication;

/// <summary>Holds a sender to a number of bytes a second, which may change while it runs.</summary>
/// <remarks>
/// A token bucket that holds at most a twentieth of a second's bytes, so that the limit holds over any second within
/// a few per cent. Debts are allowed: a frame larger than the bucket goes at once and the next ones wait it off.
/// Thread safe.
/// </remarks>
public sealed class RateLimiter
{
    // How soon a waiting sender sees that the limit has changed.
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(200);

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private long _bytesPerSecond;
    private double _tokens;
    private long _last;
    private long _changes;

    /// <summary>Creates a limiter.</summary>
    /// <param name="bytesPerSecond">The limit; 0 for none.</param>
    /// <param name="time">The clock; null for the system's.</param>
    public RateLimiter(long bytesPerSecond = 0, TimeProvider? time = null)
    {
        _time = time ?? TimeProvider.System;
        _bytesPerSecond = bytesPerSecond;
        _last = _time.GetTimestamp();
    }

    /// <summary>The limit in bytes a second; 0 for none. May be set at any time.</summary>
    public long BytesPerSecond
    {
        get => Interlocked.Read(ref _bytesPerSecond);
        set
        {
            lock (_lock)
            {
                // A debt of the old limit would hold the new one up.
                _tokens = 0;
                _changes++;
                _last = _time.GetTimestamp();
                Interlocked.Exchange(ref _bytesPerSecond, value);
            }
        }
    }

    /// <summary>Waits until so many bytes may be sent.</summary>
    public async ValueTask WaitAsync(int bytes, CancellationToken cancellationToken)
    {
        TimeSpan wait = Take(bytes, out long changes);
        while (wait > TimeSpan.Zero && changes == Interlocked.Read(ref _changes))
        {
            TimeSpan slice = wait < Slice ? wait : Slice;
            await Task.Delay(slice, _time, cancellationToken);
            wait -= slice;
        }
    }

    private TimeSpan Take(int bytes, out long changes)
    {
        lock (_lock)
        {
            changes = _changes;
            long rate = _bytesPerSecond;
            if (rate <= 0)
            {
                return TimeSpan.Zero;
            }

            long now = _time.GetTimestamp();
            double earned = _time.GetElapsedTime(_last, now).TotalSeconds * rate;
            _last = now;
            _tokens = Math.Min(_tokens + earned, rate / 20.0) - bytes;
            return _tokens >= 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(-_tokens / rate);
        }
    }
}
