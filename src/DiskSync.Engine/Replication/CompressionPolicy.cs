namespace DiskSync.Engine.Replication;

/// <summary>Decides batch by batch whether compressing makes the copy faster.</summary>
/// <remarks>
/// Three measured figures decide: the link's goodput (taken only over intervals in which the senders really waited
/// for it), the compressor's rate and its ratio. Compression pays when the compressor is faster than the link and the
/// data shrinks by 5% or more. Until the link has been the bottleneck once, nothing is compressed; while it is not,
/// its estimate drifts up, so that a link that became faster is noticed. One batch in 32 is compressed as a probe, so
/// that the ratio follows the data. Thread safe.
/// </remarks>
public sealed class CompressionPolicy
{
    private const double Weight = 0.2;
    private const int ProbeEvery = 32;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private readonly Lock _lock = new();
    private readonly CompressionMode _mode;
    private readonly int _workers;
    private readonly TimeProvider _time;
    private double _linkRate = double.PositiveInfinity;
    private double _compressorRate = 500e6;
    private double _ratio = 0.5;
    private long _intervalStart;
    private long _intervalBytes;
    private double _intervalWait;
    private long _batches;

    /// <summary>Creates a policy for one transfer.</summary>
    /// <param name="mode">What the user asked for.</param>
    /// <param name="workers">How many workers compress at the same time.</param>
    /// <param name="time">The clock; null for the system's.</param>
    public CompressionPolicy(CompressionMode mode, int workers, TimeProvider? time = null)
    {
        _mode = mode;
        _workers = workers;
        _time = time ?? TimeProvider.System;
        _intervalStart = _time.GetTimestamp();
    }

    /// <summary>The link's measured goodput in bytes a second; infinite while it never was the bottleneck.</summary>
    public double LinkRate
    {
        get
        {
            lock (_lock)
            {
                return _linkRate;
            }
        }
    }

    /// <summary>Whether the next batch should be compressed.</summary>
    public bool ShouldCompress()
    {
        if (_mode != CompressionMode.Auto)
        {
            return _mode == CompressionMode.Always;
        }

        lock (_lock)
        {
            if (double.IsPositiveInfinity(_linkRate))
            {
                return false;
            }

            bool pays = _compressorRate * _workers > _linkRate && _ratio < 0.95;
            return pays || ++_batches % ProbeEvery == 0;
        }
    }

    /// <summary>Takes note of what compressing a batch cost and gained.</summary>
    public void Compressed(long before, long after, TimeSpan elapsed)
    {
        if (before <= 0)
        {
            return;
        }

        lock (_lock)
        {
            _ratio += Weight * (((double)after / before) - _ratio);
            if (elapsed > TimeSpan.Zero)
            {
                _compressorRate += Weight * ((before / elapsed.TotalSeconds) - _compressorRate);
            }
        }
    }

    /// <summary>Takes note of time that a worker spent waiting for the link.</summary>
    public void Waited(TimeSpan elapsed)
    {
        lock (_lock)
        {
            _intervalWait += elapsed.TotalSeconds;
        }
    }

    /// <summary>Takes note of bytes that the destination has acknowledged.</summary>
    public void Acknowledged(long wireBytes)
    {
        lock (_lock)
        {
            _intervalBytes += wireBytes;
            long now = _time.GetTimestamp();
            TimeSpan elapsed = _time.GetElapsedTime(_intervalStart, now);
            if (elapsed < Interval)
            {
                return;
            }

            bool linkWasBottleneck = _intervalWait / (elapsed.TotalSeconds * _workers) > 0.5;
            double rate = _intervalBytes / elapsed.TotalSeconds;
            if (linkWasBottleneck)
            {
                _linkRate = double.IsPositiveInfinity(_linkRate) ? rate : _linkRate + (Weight * (rate - _linkRate));
            }
            else
            {
                _linkRate *= 1.1;
            }

            _intervalStart = now;
            _intervalBytes = 0;
            _intervalWait = 0;
        }
    }
}
