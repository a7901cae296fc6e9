using System.Diagnostics;

namespace DiskSync.Engine.Replication;

/// <summary>What one connection has on its way, and how fast it got the last of it there.</summary>
/// <remarks>Thread safe.</remarks>
internal sealed class LaneLoad
{
    // One on the wire, and one that waits so that the wire is never idle while an ack travels.
    private const int LeastBatches = 2;

    // How much of a connection's own speed it may hold: what it holds when it turns slow has to wait or be sent again.
    private const double MostSeconds = 1;
    private const double Memory = 0.8;

    private readonly Lock _lock = new();
    private long _bytes;
    private int _batches;
    private double _arrivedBytes;
    private double _busySeconds;
    private long _busySince;

    /// <summary>Bytes a second while something was on its way; 0 while nothing has arrived yet.</summary>
    public double Rate
    {
        get
        {
            lock (_lock)
            {
                return RateNow;
            }
        }
    }

    private double RateNow => _busySeconds > 0 ? _arrivedBytes / _busySeconds : 0;

    /// <summary>Whether nothing is on its way.</summary>
    public bool IsIdle
    {
        get
        {
            lock (_lock)
            {
                return _batches == 0;
            }
        }
    }

    /// <summary>For how long the oldest batch has been on its way; zero where there is none.</summary>
    public TimeSpan Waiting
    {
        get
        {
            lock (_lock)
            {
                return _batches == 0 ? TimeSpan.Zero : Stopwatch.GetElapsedTime(_busySince);
            }
        }
    }

    /// <summary>Whether one more batch may be given to it.</summary>
    public bool HasRoom
    {
        get
        {
            lock (_lock)
            {
                return _batches < LeastBatches || _bytes < RateNow * MostSeconds;
            }
        }
    }

    /// <summary>When a further batch would have arrived, in seconds from now, by what is known of it.</summary>
    /// <param name="bytes">The batch.</param>
    /// <param name="usualRate">What to expect of a connection that nothing is known of.</param>
    public double SecondsFor(long bytes, double usualRate)
    {
        lock (_lock)
        {
            double rate = RateNow > 0 ? RateNow : usualRate;
            return rate > 0 ? (_bytes + bytes) / rate : _batches;
        }
    }

    /// <summary>Takes note of a batch that is given to it.</summary>
    public void Begin(long bytes)
    {
        lock (_lock)
        {
            if (_batches++ == 0)
            {
                _busySince = Stopwatch.GetTimestamp();
            }

            _bytes += bytes;
        }
    }

    /// <summary>Takes note of a batch that was acknowledged, or lost.</summary>
    public void End(long bytes, bool arrived)
    {
        lock (_lock)
        {
            if (arrived)
            {
                // Since the ack before, or since it became busy: several batches share the connection's time. Sums that
                // fade, because acks come in bursts and the mean of momentary rates would be far too high.
                _arrivedBytes = (_arrivedBytes * Memory) + bytes;
                _busySeconds = (_busySeconds * Memory) + Stopwatch.GetElapsedTime(_busySince).TotalSeconds;
            }

            _batches--;
            _bytes -= bytes;
            _busySince = Stopwatch.GetTimestamp();
        }
    }
}
