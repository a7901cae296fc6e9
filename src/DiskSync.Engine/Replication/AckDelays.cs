namespace DiskSync.Engine.Replication;

/// <summary>How long acks take beyond the shortest time seen: what stands in for a round trip where the transport has none to ask for.</summary>
/// <remarks>
/// From the last byte of a batch to its ack: the way there and back, the queues on it, and the destination's work. Of each
/// interval the least counts, as RFC 6817 filters its samples: most of what disturbs only adds. Thread safe.
/// </remarks>
public sealed class AckDelays
{
    private readonly Lock _lock = new();
    private TimeSpan _base = TimeSpan.MaxValue;
    private TimeSpan _least = TimeSpan.MaxValue;

    /// <summary>Takes note of one ack.</summary>
    public void Note(TimeSpan delay)
    {
        lock (_lock)
        {
            _least = delay < _least ? delay : _least;
            _base = delay < _base ? delay : _base;
        }
    }

    /// <summary>The least of the acks since this was asked last, less the shortest ever; null where none came.</summary>
    public TimeSpan? TakeQueueing()
    {
        lock (_lock)
        {
            TimeSpan? queueing = _least == TimeSpan.MaxValue ? null : _least - _base;
            _least = TimeSpan.MaxValue;
            return queueing;
        }
    }
}
