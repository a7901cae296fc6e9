namespace DiskSync.Engine.Replication;

/// <summary>What the way to the destination can take, estimated from how the senders fare with it.</summary>
/// <remarks>
/// <para>While the senders have to wait, something behind them is full, and what is acknowledged is what it takes:
/// the link, in bytes on the wire, or the destination, in bytes of blocks whatever they were on the wire
/// (<see cref="LimitEvidence"/>).</para>
/// <para>While they do not wait, only a lower bound is known, and the estimates drift up, so that a link that became
/// faster is noticed: fast at first, ever slower where the next measurement finds the old value again.</para>
/// <para>Not thread safe: the policy's lock is around it.</para>
/// </remarks>
internal sealed class LinkModel
{
    private const double Weight = 0.3;

    // Of the workers' time. Little is enough: when one has to wait at all, every batch there is is under way.
    private const double ShareOfWaiting = 0.05;
    private const double ShareOfMuchWaiting = 0.2;
    private const double AsMuchAsBefore = 0.8;

    // Logarithm of a change that is more than the usual unrest of a link.
    private const double Surprise = 0.25;

    // Payload bytes a second that every codec in question but the strongest keeps up with. More than a gigabit link
    // carries: once it was taken for a slow destination, nothing would be encoded for the rest of the copy.
    private const double EasilyEncoded = 250e6;
    private const double MoreDoubt = 6;
    private const double LateDoubt = 4;
    private const double NearlyNothingEncoded = 0.9;
    private const double MaxDrift = 2;
    private const double MinDrift = 1.005;

    // Further above all that was seen than this the estimate goes in small steps: each may cost some wrong choices.
    private const double MostAboveSeen = 2;
    private const double CarefulDrift = 1.25;

    // A Unix socket may lead into a tunnel, which none of those known is faster than; above this, what holds a copy up
    // that crosses no network is the destination, or processors, which encoding would only keep from the rest.
    private const double FastestTunnel = 300e6;
    private const int SlowIntervals = 3;

    // Reading and hashing: 1.4 GB/s.
    private const double TypicalSecondsPerByte = 0.7e-9;
    private const double WorkWindowBytes = 64 << 20;
    private const int EnoughAcks = 8;
    private const int MostAcks = 64;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan FirstIntervals = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan FirstDoubt = TimeSpan.FromSeconds(0.2);

    private readonly TimeProvider _time;
    private readonly int _workers;
    private readonly bool _noNetwork;
    private readonly LimitEvidence _evidence = new();
    private long _start;
    private int _waiting;
    private long _waitCounted;
    private double _wait;
    private double _wire;
    private double _encoding;
    private double _payload;
    private double _fastest;
    private double _workerTime;
    private double _worked;
    private double _drift = MaxDrift;
    private bool _idle = true;
    private int _slowIntervals;
    private int _acks;
    private int _window;
    private (double Wire, double Payload)? _last;
    private TimeSpan _doubt = FirstDoubt;
    private long _judged;

    /// <summary>Starts to measure.</summary>
    /// <param name="workers">How many senders there are.</param>
    /// <param name="linkRate">What to expect of the link until it was measured, in bytes a second; infinite where there is no network.</param>
    /// <param name="time">The clock.</param>
    public LinkModel(int workers, double linkRate, TimeProvider time)
    {
        _workers = workers;
        _time = time;
        LinkRate = linkRate;
        _noNetwork = double.IsInfinity(linkRate);
        _worked = WorkWindowBytes / 4;
        _workerTime = _worked * TypicalSecondsPerByte;
        _start = _waitCounted = time.GetTimestamp();
    }

    /// <summary>Bytes a second that the link carries.</summary>
    public double LinkRate { get; private set; }

    /// <summary>Whether the link was the limit at least once.</summary>
    public bool IsMeasured { get; private set; }

    /// <summary>Payload bytes a second that the destination takes; infinite where it was not the limit.</summary>
    public double DestinationRate { get; private set; } = double.PositiveInfinity;

    /// <summary>Seconds that a worker needs for a byte of payload, encoding not included.</summary>
    public double SecondsPerByte { get; private set; } = TypicalSecondsPerByte;

    /// <summary>Nothing was under way: the time until the first batch is acknowledged says nothing about the link's rate.</summary>
    public void WasIdle() => _idle = true;

    /// <summary>Takes note of a worker that begins, or ends, to wait.</summary>
    /// <param name="change">1 or -1.</param>
    public void Waiting(int change)
    {
        CountWaiting();
        _waiting += change;
    }

    /// <summary>Takes note of time in which a worker encoded.</summary>
    public void Encoded(TimeSpan elapsed) => _encoding += elapsed.TotalSeconds;

    /// <summary>Takes note of acknowledged bytes, and draws conclusions once there is enough.</summary>
    /// <param name="wireBytes">Bytes of the batch on the wire.</param>
    /// <param name="payload">Bytes of its payload before they were encoded.</param>
    /// <param name="underWay">Since its first byte was sent: it travelled at least at this rate. Zero where unknown.</param>
    /// <param name="batches">How many others are under way.</param>
    public void Acknowledged(long wireBytes, long payload, TimeSpan underWay, long batches)
    {
        _wire += wireBytes;
        _payload += payload;
        if (underWay > TimeSpan.Zero)
        {
            _fastest = Math.Max(_fastest, wireBytes / underWay.TotalSeconds);
            LinkRate = Math.Max(LinkRate, _fastest);
        }

        if (_idle)
        {
            // From here on acknowledgements follow each other as the link lets them.
            Restart(batches);
            return;
        }

        _acks++;
        TimeSpan elapsed = _time.GetElapsedTime(_start);
        CountWaiting();
        bool soon = !_noNetwork && elapsed >= FirstIntervals && (_drift > 1.5 || IsRefuted(elapsed.TotalSeconds));
        if ((elapsed < Interval && !soon) || _payload <= 0)
        {
            return;
        }

        // On a slow link an interval has an ack or two, and over several connections they come in any order: what is
        // measured then is chance. When as many have come as there were under way, it is what the link carried.
        if (_acks < _window)
        {
            return;
        }

        Conclude(elapsed.TotalSeconds);
        Restart(batches);
    }

    private void Restart(long batches)
    {
        _window = (int)Math.Min(batches, MostAcks);
        _idle = false;
        _acks = 0;
        _start = _waitCounted = _time.GetTimestamp();
        (_wait, _wire, _encoding, _payload, _fastest) = (0, 0, 0, 0, 0);
    }

    // Those that still wait count too: on a slow link they wait for longer than an interval takes.
    private void CountWaiting()
    {
        long now = _time.GetTimestamp();
        _wait += _waiting * _time.GetElapsedTime(_waitCounted, now).TotalSeconds;
        _waitCounted = now;
    }

    // A wrong belief in a faster link costs most while it lasts, so it is not left standing for a whole interval.
    private bool IsRefuted(double elapsed) =>
        _acks >= EnoughAcks
        && _wait >= ShareOfWaiting * elapsed * _workers
        && _wire / elapsed < LinkRate / 1.3
        && double.IsInfinity(DestinationRate);

    private void Conclude(double elapsed)
    {
        double workerTime = elapsed * _workers;
        double wire = _wire / elapsed;
        double payload = _payload / elapsed;
        CountWork(workerTime);
        if (_wait < ShareOfWaiting * workerTime)
        {
            double plausible = MostAboveSeen * Math.Max(wire, _fastest);
            double drift = LinkRate < plausible ? _drift : Math.Min(_drift, CarefulDrift);
            LinkRate = Math.Max(LinkRate * drift, wire);
            DestinationRate = Math.Max(DestinationRate * _drift, payload);
            _last = null;
            return;
        }

        bool isWaitingMuch = _wait > ShareOfMuchWaiting * workerTime;
        if (IsLimitedByDestination(wire, payload, isWaitingMuch, out bool isInDoubt))
        {
            if (double.IsInfinity(DestinationRate))
            {
                DestinationRate = payload;
                _judged = _time.GetTimestamp();
            }

            DestinationRate += Weight * (payload - DestinationRate);

            // The link takes more than this; how much more matters only as far as it would carry everything unencoded.
            LinkRate = Math.Max(Math.Max(LinkRate, wire), Math.Min(LinkRate * MaxDrift, MostAboveSeen * DestinationRate));
        }
        else
        {
            if (double.IsFinite(DestinationRate))
            {
                _evidence.Forget();
            }

            DestinationRate = double.PositiveInfinity;
            bool expected = IsMeasured && Math.Abs(Math.Log(wire / LinkRate)) < Surprise;
            _drift = wire > 1.3 * LinkRate ? Math.Min(MaxDrift, _drift * _drift) : Math.Max(MinDrift, 1 + ((_drift - 1) / 4));
            if (isInDoubt)
            {
                // What encodes at this rate costs the processors little, and is enough for an answer.
                LinkRate = Math.Min(LinkRate, MostAboveSeen * wire);
            }
            else
            {
                double now = expected ? LinkRate + (Weight * (wire - LinkRate)) : wire;

                // Who waits a little waits for what comes in bursts, too: the link may take more than it was given.
                LinkRate = isWaitingMuch ? now : Math.Max(now, LinkRate);
            }

            IsMeasured = true;
        }

        // Two or three acks are chance: what came before the first and after the last counts for nothing, or twice.
        _last = _acks >= EnoughAcks ? (wire, payload) : null;
    }

    // Over many batches, since those that take long to encode begin in one interval and end in another.
    private void CountWork(double workerTime)
    {
        double kept = Math.Exp(-_payload / WorkWindowBytes);
        _workerTime = (_workerTime * kept) + workerTime - _wait - _encoding;
        _worked = (_worked * kept) + _payload;
        SecondsPerByte = Math.Max(0, _workerTime / _worked);
    }

    /// <param name="wire">Bytes a second on the wire.</param>
    /// <param name="payload">Bytes a second of payload.</param>
    /// <param name="isWaitingMuch">Whether the senders wait for much of the time.</param>
    /// <param name="isInDoubt">Where the answer is no: whether that is only to find out.</param>
    private bool IsLimitedByDestination(double wire, double payload, bool isWaitingMuch, out bool isInDoubt)
    {
        isInDoubt = false;
        if (_noNetwork)
        {
            // Once is a hiccup; the one that is too many asks whether it is the link.
            _slowIntervals = wire > FastestTunnel ? 0 : _slowIntervals + 1;
            if (_slowIntervals <= SlowIntervals)
            {
                return _slowIntervals < SlowIntervals;
            }
        }

        bool before = double.IsFinite(DestinationRate);

        // A destination that has taken more before is not what holds this up.
        bool asBefore = before && payload > DestinationRate * AsMuchAsBefore;
        if (_last is not { } last || _acks < EnoughAcks)
        {
            return asBefore;
        }

        bool hasChanged = _evidence.Observe(last, (wire, payload));
        if (!before && isWaitingMuch)
        {
            return _evidence.IsForDestination;
        }

        if (hasChanged)
        {
            return asBefore && _evidence.IsMoreForDestination;
        }

        isInDoubt = before && IsToBeAsked(wire, payload);
        if (isInDoubt)
        {
            _doubt *= MoreDoubt;
        }

        return before && !isInDoubt;
    }

    // Both fell: it may be the link this time. Or so little arrives that anything could be encoded meanwhile, and as long
    // as nothing is, nothing shows whether more would arrive if it were. Asked ever more rarely, since to ask costs a
    // wrong choice, and late where some is encoded still, which tells by itself.
    private bool IsToBeAsked(double wire, double payload) =>
        (payload < 0.7 * DestinationRate || payload < EasilyEncoded)
        && _time.GetElapsedTime(_judged) > (wire > NearlyNothingEncoded * payload ? _doubt : LateDoubt * _doubt);
}
