namespace DiskSync.Engine.Replication;

/// <summary>What each codec is expected to cost and to gain: typical figures, corrected by what is measured.</summary>
/// <remarks>
/// <para>Codecs keep their distance from each other whatever the data and the machine, so two figures say most: how
/// far the data shrinks and how fast the machine is, both against the typical. They follow the codec in use, batch
/// by batch. What a codec has of its own beside them is learned only from probes, in which two codecs encode the
/// same bytes: from one batch to the next the data differs by more than the codecs do.</para>
/// <para>Not thread safe: the policy's lock is around it.</para>
/// </remarks>
internal sealed class CodecModel
{
    // Of the machine's installed files in batches of 1 MiB, one quiet core (docs/performance.md): bytes a second, and
    // the logarithm of the ratio.
    private static readonly (BatchCodec Codec, double Rate, double Shrink)[] Typical =
    [
        (BatchCodec.Raw, 6e9, 0),
        (BatchCodec.Lz4, 360e6, 0.66),
        (BatchCodec.Zstd(1), 400e6, 0.92),
        (BatchCodec.Zstd(3), 240e6, 1.00),
        (BatchCodec.Zstd(6), 90e6, 1.05),
        (BatchCodec.Zstd(18), 3.5e6, 1.15),
    ];

    // Over some 20 batches: the queue of what is under way evens out shorter changes of the data anyway, and whoever
    // follows them takes the right codec for the batch before. Less at first, when there is nothing to go by.
    private const double Weight = 0.05;
    private const double FirstBatches = 2;
    private const double ColdBatches = 2;
    private const double ProbeWeight = 0.5;

    // A batch of a few patches says less than one full of blocks.
    private const double FullWeightBytes = 256 << 10;

    // What a probe finds beyond this is chance, or a codec that is worth nothing here whatever it is exactly.
    private const double MaxOwn = 3;

    private readonly double[] _rates;
    private readonly double[] _shrinks;
    private double _speed = 1;
    private double _data = 0.8;
    private double _noise;
    private double _seen = FirstBatches;

    public CodecModel(IReadOnlyList<BatchCodec> codecs)
    {
        Codecs = codecs;
        _rates = [.. codecs.Select(c => TypicalOf(c).Rate)];
        _shrinks = [.. codecs.Select(c => TypicalOf(c).Shrink)];
    }

    /// <summary>All codecs that a policy may choose from, cheapest first.</summary>
    public static IEnumerable<BatchCodec> Known => Typical.Select(t => t.Codec);

    /// <summary>The codecs of this model, cheapest first.</summary>
    public IReadOnlyList<BatchCodec> Codecs { get; }

    /// <summary>Payload bytes that one worker encodes in a second.</summary>
    public double RateOf(int codec) => IsRaw(codec) ? _rates[codec] : PureRateOf(codec) / Math.Max(0.01, 1 - _noise);

    /// <summary>Bytes on the wire for each byte of payload, noise included.</summary>
    public double FactorOf(int codec) => IsRaw(codec) ? 1 : _noise + ((1 - _noise) * PureFactorOf(codec));

    /// <summary>Takes note of one batch with the codec in use.</summary>
    public void Observe(int codec, in EncodedSample sample)
    {
        double amount = Math.Min(1, sample.Before / FullWeightBytes);
        double weight = amount * Math.Max(Weight, 1 / _seen);
        if (!IsRaw(codec))
        {
            _seen += amount;
            _noise -= weight * _noise;
        }

        // The first batches pay for loading the library, its contexts and their pages; they say nothing about the machine.
        Follow(codec, sample, weight, _seen > FirstBatches + ColdBatches ? weight : 0);
    }

    /// <summary>Takes note of a batch that was not encoded because it is noise.</summary>
    public void Skipped(long bytes) => _noise += Weight * Math.Min(1, bytes / FullWeightBytes) * (1 - _noise);

    /// <summary>Takes note of a probe.</summary>
    /// <param name="current">The codec in use.</param>
    /// <param name="used">What it made of the sample.</param>
    /// <param name="candidate">The other one.</param>
    /// <param name="tried">What that one made of the same sample.</param>
    public void Compare(int current, in EncodedSample used, int candidate, in EncodedSample tried)
    {
        if (IsRaw(current) || IsRaw(candidate))
        {
            // There is no distance to raw: what the data does is all that can be learned.
            bool triedRaw = IsRaw(candidate);
            Follow(triedRaw ? current : candidate, triedRaw ? used : tried, ProbeWeight, ProbeWeight);
            return;
        }

        double rates = RateOf(tried) / RateOf(used);
        Learn(_rates, candidate, _rates[current] * rates, TypicalOf(Codecs[candidate]).Rate);
        double shrink = ShrinkOf(used);
        if (shrink > 0.05)
        {
            Learn(_shrinks, candidate, _shrinks[current] * ShrinkOf(tried) / shrink, TypicalOf(Codecs[candidate]).Shrink);
        }
    }

    private static void Learn(double[] figures, int codec, double found, double typical)
    {
        double moved = figures[codec] * Math.Pow(Math.Max(found, typical / MaxOwn) / figures[codec], ProbeWeight);
        figures[codec] = Math.Clamp(moved, typical / MaxOwn, typical * MaxOwn);
    }

    private static double RateOf(in EncodedSample sample) => sample.Before / Math.Max(sample.Elapsed.TotalSeconds, sample.Before * 1e-11);

    private static double ShrinkOf(in EncodedSample sample) => Math.Log((double)sample.Before / Math.Max(1, sample.After));

    private void Follow(int codec, in EncodedSample sample, double weight, double speedWeight)
    {
        if (IsRaw(codec))
        {
            _rates[codec] += weight * (RateOf(sample) - _rates[codec]);
            return;
        }

        // Lengths are averaged, not ratios: it is lengths that add up on the link.
        double factor = PureFactorOf(codec);
        factor += weight * (Math.Min(1, (double)sample.After / sample.Before) - factor);
        _data = -Math.Log(factor) / _shrinks[codec];
        double seconds = 1 / PureRateOf(codec);
        seconds += speedWeight * ((1 / RateOf(sample)) - seconds);
        _speed = 1 / (seconds * _rates[codec]);
    }

    private bool IsRaw(int codec) => Codecs[codec].Kind == CodecKind.Raw;

    private double PureRateOf(int codec) => _rates[codec] * _speed;

    private double PureFactorOf(int codec) => Math.Exp(-_shrinks[codec] * _data);

    private static (BatchCodec Codec, double Rate, double Shrink) TypicalOf(BatchCodec codec) =>
        Typical.First(t => t.Codec == codec);
}
