using DiskSync.Engine.Replication;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.TestSupport.Copying;

/// <summary>
/// A copy in virtual time: the real policy, batches with known costs, workers, a limit on what is under way, a link
/// and a destination. The same input always gives the same result, on a busy machine too.
/// </summary>
/// <remarks>What the sender does is modelled after ImageSender: a worker fills a batch, encodes it, hands it over and goes on.</remarks>
public sealed class CopySimulation
{
    private const int FewestMaxBatches = 12;
    private const int FewConnections = 4;
    private const int Workers = 2;

    // Frame header, table of 16 blocks, and what TCP adds to a batch of them is of no account here.
    private const int FrameBytes = 40 + (16 * 56);

    // Reading and hashing, measured: 1.5 GB/s a worker.
    private const double FillSecondsPerByte = 1 / 1.5e9;

    private readonly VirtualTime _time = new();
    private readonly PriorityQueue<Action, (double Time, long Order)> _events = new();
    private readonly Dictionary<BatchCodec, int> _uses = [];
    private readonly ICodecCosts _costs;
    private readonly SimulatedPath _path;
    private readonly CompressionPolicy _policy;
    private readonly SharedLink? _sharedLink;
    private readonly int _maxBatches;
    private int _slots;
    private int _free;
    private int _waiting;
    private int _next;
    private long _order;
    private double _linkFree;
    private double _destinationFree;
    private double _processor;
    private long _wire;

    private CopySimulation(ICodecCosts costs, SimulatedPath path, CompressionMode mode, double expectedLinkRate)
    {
        _costs = costs;
        _path = path;
        _policy = new CompressionPolicy(mode, Capability.Lz4 | Capability.Zstd, Workers, _time, expectedLinkRate, mayBeProcessors: path.SharedProcessors > 0);
        _maxBatches = FewestMaxBatches + (2 * Math.Max(0, path.Connections - FewConnections));
        _slots = _free = double.IsInfinity(expectedLinkRate) ? _maxBatches : 2;
        if (path.Connections > 1)
        {
            _sharedLink = new SharedLink(path.Connections, RateAt, At);
        }
    }

    /// <summary>Runs a copy to its end.</summary>
    /// <param name="costs">The data.</param>
    /// <param name="path">The way to the destination.</param>
    /// <param name="mode">How the batches are encoded.</param>
    /// <param name="expectedLinkRate">As <see cref="SenderOptions.ExpectedLinkRate"/>.</param>
    public static CopyOutcome Run(
        ICodecCosts costs,
        SimulatedPath path,
        CompressionMode mode,
        double expectedLinkRate = CompressionPolicy.UnknownLinkRate)
    {
        ArgumentNullException.ThrowIfNull(costs);
        ArgumentNullException.ThrowIfNull(path);
        return new CopySimulation(costs, path, mode, expectedLinkRate).Run();
    }

    private CopyOutcome Run()
    {
        for (int i = 0; i < Workers; i++)
        {
            At(0, Rent);
        }

        while (_events.TryDequeue(out Action? happen, out (double Time, long Order) when))
        {
            _time.Seconds = when.Time;
            happen();
        }

        return new CopyOutcome(
            _time.Seconds,
            _processor,
            _wire,
            [.. _uses.OrderByDescending(u => u.Value).Select(u => (u.Key, u.Value))]);
    }

    private void At(double time, Action happen) => _events.Enqueue(happen, (time, _order++));

    private void Rent()
    {
        if (_next == _costs.Batches)
        {
            return;
        }

        if (_free == 0)
        {
            _policy.WaitBegins();
            _waiting++;
            return;
        }

        _free--;
        int batch = _next++;
        At(_time.Seconds + (_costs.PayloadOf(batch) * FillSecondsPerByte), () => Encode(batch));
    }

    private void Encode(int batch)
    {
        BatchCodec codec = _policy.Choose();
        BatchCost cost = _costs.CostOf(batch, codec);
        double probing = Probe(batch);
        _uses[cost.Codec] = _uses.GetValueOrDefault(cost.Codec) + 1;
        _processor += cost.Seconds + probing;
        At(_time.Seconds + cost.Seconds + probing, () => Send(batch, codec, cost));
    }

    /// <summary>Compares two codecs on a quarter of a batch, where the policy asks for it.</summary>
    private double Probe(int batch)
    {
        if (_policy.NextProbe() is not { } probe)
        {
            return 0;
        }

        EncodedSample used = Sample(batch, probe.Current);
        EncodedSample tried = Sample(batch, probe.Candidate);
        if (used.Codec == probe.Current && tried.Codec == probe.Candidate)
        {
            _policy.Compared(used, tried);
        }

        return (used.Elapsed + tried.Elapsed).TotalSeconds;
    }

    private EncodedSample Sample(int batch, BatchCodec codec)
    {
        BatchCost cost = _costs.CostOf(batch, codec);
        return new EncodedSample(cost.Codec, _costs.PayloadOf(batch) / 4, cost.Bytes / 4, TimeSpan.FromSeconds(cost.Seconds / 4));
    }

    private void Send(int batch, BatchCodec codec, BatchCost cost)
    {
        double now = _time.Seconds;
        _policy.Compressed(new EncodedSample(cost.Codec, _costs.PayloadOf(batch), cost.Bytes, TimeSpan.FromSeconds(cost.Seconds)));
        long wire = cost.Bytes + FrameBytes;
        _wire += wire;
        if (_sharedLink is null)
        {
            double start = Math.Max(now, _linkFree);
            _linkFree = start + (wire / RateAt(start)) + (cost.Seconds * _path.SharedProcessors);
            Arrive(_linkFree, batch, codec, wire, now);
        }
        else
        {
            _sharedLink.Send(now, wire, () => Arrive(_time.Seconds, batch, codec, wire, now));
        }

        Rent();
    }

    private double RateAt(double time) => _path.RateAt?.Invoke(time) ?? _path.BytesPerSecond;

    private void Arrive(double time, int batch, BatchCodec codec, long wire, double handedOver)
    {
        _destinationFree = Math.Max(_destinationFree, time + (_path.RoundTrip / 2))
            + (_costs.PayloadOf(batch) / _path.DestinationBytesPerSecond);
        At(_destinationFree + (_path.RoundTrip / 2), () => Acknowledge(wire, _costs.PayloadOf(batch), handedOver, codec));
    }

    private void Acknowledge(long wire, long payload, double handedOver, BatchCodec codec)
    {
        _policy.Acknowledged(wire, payload, TimeSpan.FromSeconds(_time.Seconds - handedOver), codec);
        _free++;
        if (_slots < _maxBatches)
        {
            _slots++;
            _free++;
        }

        while (_free > 0 && _waiting > 0)
        {
            _waiting--;
            _policy.WaitEnds();
            Rent();
        }
    }
}
