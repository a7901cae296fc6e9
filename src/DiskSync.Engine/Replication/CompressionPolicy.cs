using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Engine.Replication;

/// <summary>Decides batch by batch how its payload is encoded, so that the copy is as fast as it can be.</summary>
/// <remarks>
/// <para>A batch takes as long as the slowest of three: the workers that read, hash and encode it
/// (<see cref="CodecModel"/>), the link with what is left of it, and the destination (<see cref="LinkModel"/>). The
/// codec that makes the slowest fastest is taken; where two are as good as even, the one that costs less of the
/// processor. Where that turns out to be wrong, because a cheaper codec has brought more (<see cref="AchievedRates"/>),
/// none that is stronger than that one is taken for a while. Now and then a sample is also encoded with a codec that is expected to be nearly as good
/// (<see cref="NextProbe"/>), so that the figures of those not in use do not grow old: at first soon, then ever more
/// rarely, which keeps what it costs below a hundredth of what encoding does.</para>
/// <para>Thread safe.</para>
/// </remarks>
public sealed class CompressionPolicy
{
    /// <summary>What a link is taken for until it was measured, in bytes a second: gigabit Ethernet.</summary>
    public const double UnknownLinkRate = 100e6;

    private const double Even = 1.015;

    // Where both sides run on one host, what encoding and decoding cost is missing elsewhere.
    private const double EvenOnOneHost = 1.15;
    private const double WorthAProbe = 1.4;
    private const int FirstProbe = 4;
    private const int MostBetweenProbes = 64;

    private readonly Lock _lock = new();
    private readonly BatchCodec? _fixed;
    private readonly CodecModel _codecs;
    private readonly LinkModel _link;
    private readonly AchievedRates? _achieved;
    private readonly int _workers;
    private readonly double _even;
    private readonly RateLimiter? _limiter;
    private readonly long[] _probed;
    private long _batches;
    private long _underWay;
    private long _nextProbe = FirstProbe;
    private int _current;

    /// <summary>Creates a policy for one transfer.</summary>
    /// <param name="mode">What the user asked for; a codec that the sides do not share is replaced by the next weaker one.</param>
    /// <param name="capabilities">What both sides can decode.</param>
    /// <param name="workers">How many workers encode at the same time.</param>
    /// <param name="time">The clock; null for the system's.</param>
    /// <param name="linkRate">What to expect of the link until it was measured; infinite where there is no network between the two.</param>
    /// <param name="limiter">What the link is held to; it may change at any time. Null for nothing.</param>
    /// <param name="mayBeProcessors">
    /// Whether what looks like the link may be a program that needs the processors (ssh): then what the codecs bring is
    /// compared now and then.
    /// </param>
    public CompressionPolicy(
        CompressionMode mode,
        Capability capabilities,
        int workers,
        TimeProvider? time = null,
        double linkRate = UnknownLinkRate,
        RateLimiter? limiter = null,
        bool mayBeProcessors = false)
    {
        _limiter = limiter;
        _workers = workers;
        _even = double.IsInfinity(linkRate) ? EvenOnOneHost : Even;
        _codecs = new CodecModel([.. CodecModel.Known.Where(c => IsShared(c, capabilities))]);
        _link = new LinkModel(workers, linkRate, time ?? TimeProvider.System);
        _achieved = mayBeProcessors ? new AchievedRates(_codecs.Codecs.Count, time ?? TimeProvider.System) : null;
        _probed = new long[_codecs.Codecs.Count];
        _fixed = mode.Fixed is not { } wanted ? null
            : IsShared(wanted, capabilities) ? wanted
            : IsShared(BatchCodec.Lz4, capabilities) && wanted.Kind == CodecKind.Zstd ? BatchCodec.Lz4
            : BatchCodec.Raw;
    }

    /// <summary>The link's measured goodput in bytes a second; infinite while it never was the bottleneck.</summary>
    public double LinkRate
    {
        get
        {
            lock (_lock)
            {
                return _link.IsMeasured ? _link.LinkRate : double.PositiveInfinity;
            }
        }
    }

    /// <summary>Chooses for the next batch, which is on its way from now on until it is acknowledged.</summary>
    public BatchCodec Choose()
    {
        lock (_lock)
        {
            if (_underWay++ == 0)
            {
                _link.WasIdle();
            }

            if (_fixed is { } codec)
            {
                return codec;
            }

            _batches++;
            _current = Best();
            return _codecs.Codecs[_current];
        }
    }

    /// <summary>Names the codecs to compare on a sample of the next batch, where it is time to.</summary>
    /// <returns>The codec in use and the other one; null nearly always.</returns>
    public (BatchCodec Current, BatchCodec Candidate)? NextProbe()
    {
        lock (_lock)
        {
            if (_fixed is not null || _batches < _nextProbe)
            {
                return null;
            }

            _nextProbe = _batches + Math.Min(_batches, MostBetweenProbes);
            int candidate = Candidate();
            if (candidate == _current)
            {
                return null;
            }

            _probed[candidate] = _batches;
            return (_codecs.Codecs[_current], _codecs.Codecs[candidate]);
        }
    }

    /// <summary>Takes note of a probe.</summary>
    /// <param name="used">What the codec in use made of the sample.</param>
    /// <param name="tried">What the other one made of the same bytes.</param>
    public void Compared(in EncodedSample used, in EncodedSample tried)
    {
        lock (_lock)
        {
            _link.Encoded(used.Elapsed + tried.Elapsed);
            int current = IndexOf(used.Codec);
            int candidate = IndexOf(tried.Codec);
            if (current >= 0 && candidate >= 0)
            {
                _codecs.Compare(current, used, candidate, tried);
            }
        }
    }

    /// <summary>Takes note of what encoding a batch cost and gained.</summary>
    /// <param name="batch">Its payload, before and after, and the codec that it went with in the end.</param>
    public void Compressed(in EncodedSample batch)
    {
        if (batch.Before <= 0)
        {
            return;
        }

        lock (_lock)
        {
            _link.Encoded(batch.Elapsed);
            int index = IndexOf(batch.Codec);
            if (index == 0 && _current != 0)
            {
                _codecs.Skipped(batch.Before);
            }
            else if (index >= 0)
            {
                _codecs.Observe(index, batch);
            }
        }
    }

    /// <summary>A worker begins to wait because as much is under way as may be.</summary>
    public void WaitBegins()
    {
        lock (_lock)
        {
            _link.Waiting(1);
        }
    }

    /// <summary>The worker goes on, or gives up.</summary>
    public void WaitEnds()
    {
        lock (_lock)
        {
            _link.Waiting(-1);
        }
    }

    /// <summary>Takes note of a batch that the destination has acknowledged.</summary>
    /// <param name="wireBytes">Its bytes on the wire.</param>
    /// <param name="payload">Bytes of its payload before they were encoded.</param>
    /// <param name="underWay">The time since it was handed to the connection; zero where unknown.</param>
    /// <param name="chosen">What <see cref="Choose"/> chose for it.</param>
    public void Acknowledged(long wireBytes, long payload, TimeSpan underWay, BatchCodec chosen)
    {
        lock (_lock)
        {
            _underWay--;
            if (_achieved is not null && _fixed is null)
            {
                _achieved.Acknowledged(IndexOf(chosen), payload);
            }

            _link.Acknowledged(wireBytes, payload, underWay, _underWay);
        }
    }

    private static bool IsShared(BatchCodec codec, Capability capabilities) => codec.Kind switch
    {
        CodecKind.Lz4 => capabilities.HasFlag(Capability.Lz4),
        CodecKind.Zstd => capabilities.HasFlag(Capability.Zstd),
        _ => true,
    };

    private int Best()
    {
        double fastest = double.PositiveInfinity;
        int strongest = _achieved?.Strongest ?? _codecs.Codecs.Count - 1;
        for (int i = 0; i <= strongest; i++)
        {
            fastest = Math.Min(fastest, SecondsPerByte(i));
        }

        // Cheapest first, so the first that is as good as even is it.
        int best = 0;
        while (SecondsPerByte(best) > fastest * _even)
        {
            best++;
        }

        return best;
    }

    private int Candidate()
    {
        double limit = SecondsPerByte(_current) * WorthAProbe;
        int candidate = _current;
        for (int i = 0; i < _codecs.Codecs.Count; i++)
        {
            if (i != _current && SecondsPerByte(i) <= limit && (candidate == _current || _probed[i] < _probed[candidate]))
            {
                candidate = i;
            }
        }

        return candidate;
    }

    /// <summary>How long a byte of payload takes with a codec.</summary>
    private double SecondsPerByte(int codec)
    {
        double working = (_link.SecondsPerByte + (1 / _codecs.RateOf(codec))) / _workers;
        double travelling = _codecs.FactorOf(codec) / UsableLinkRate();
        return Math.Max(Math.Max(working, travelling), 1 / _link.DestinationRate);
    }

    // A limit needs no measuring, and what the limiter lets through at once would make the link look fast.
    private double UsableLinkRate() =>
        _limiter is { Rate: > 0 and long limit } ? Math.Min(_link.LinkRate, limit) : _link.LinkRate;

    private int IndexOf(BatchCodec codec)
    {
        for (int i = 0; i < _codecs.Codecs.Count; i++)
        {
            if (_codecs.Codecs[i] == codec)
            {
                return i;
            }
        }

        return -1;
    }
}
