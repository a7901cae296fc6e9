namespace DiskSync.Wanem;

/// <summary>Decides what becomes of each packet of one direction, and when it arrives: a pure function of time and seed.</summary>
/// <remarks>
/// In the order of a real path: loss, a bounded queue that drops at its tail, a wire that carries one packet at a time,
/// then the propagation delay. The wire is a virtual clock, the time at which it is free again; what is queued is what
/// that clock is ahead, so nothing is counted by packet. Loss, jitter and reordering have a random stream each: setting
/// one does not change what the others do with the same seed. Not thread safe.
/// </remarks>
internal sealed class LinkModel
{
    private readonly LinkOptions _options;
    private readonly long _queueLimit;
    private readonly double _nanosecondsPerByte;
    private readonly Random _loss;
    private readonly Random _jitter;
    private readonly Random _reorder;
    private double _wireFree;
    private long _lastDue;

    /// <summary>Makes the model of a direction.</summary>
    /// <param name="options">What it does.</param>
    /// <param name="queueLimit">The queue's limit in bytes.</param>
    /// <param name="seed">The same seed decides the same of the n-th packet.</param>
    public LinkModel(LinkOptions options, long queueLimit, int seed)
    {
        _options = options;
        _queueLimit = queueLimit;
        _nanosecondsPerByte = options.Rate > 0 ? 8e9 / options.Rate : 0;
        _loss = new Random(seed);
        _jitter = new Random(seed ^ 0x5bd1e995);
        _reorder = new Random(seed ^ 0x2545f491);
    }

    /// <summary>Decides about the next packet.</summary>
    /// <param name="bytes">The IP packet's length.</param>
    /// <param name="now">When it came, in nanoseconds; never less than before.</param>
    /// <param name="due">When it arrives, where it does.</param>
    public Verdict Admit(int bytes, long now, out long due)
    {
        due = 0;
        if (_options.Loss > 0 && _loss.NextDouble() < _options.Loss)
        {
            return Verdict.Lost;
        }

        double sent = now;
        if (_nanosecondsPerByte > 0)
        {
            int onWire = bytes + _options.Overhead;
            double ahead = _wireFree - now;
            // A packet that finds the wire free always goes: a queue smaller than a packet is no wall.
            if (ahead > 0 && (ahead / _nanosecondsPerByte) + onWire > _queueLimit)
            {
                return Verdict.QueueFull;
            }

            sent = Math.Max(_wireFree, now) + (onWire * _nanosecondsPerByte);
            _wireFree = sent;
        }

        due = (long)sent + _options.Delay;
        if (_options.Jitter > 0)
        {
            due = Math.Max(now, due + (long)(((_jitter.NextDouble() * 2) - 1) * _options.Jitter));
        }

        if (_options.Reorder > 0 && _reorder.NextDouble() < _options.Reorder)
        {
            due += _options.ReorderBy;
            return Verdict.Late;
        }

        // Queues make jitter in real paths, and queues keep the order.
        _lastDue = due = Math.Max(due, _lastDue);
        return Verdict.InOrder;
    }
}
