using DiskSync.Engine.Replication;
using DiskSync.TestSupport.Copying;

namespace DiskSync.Engine.Tests.Replication;

/// <summary>Batches of made-up data on a made-up machine; the codecs stand to each other as measured ones do, but not exactly.</summary>
internal sealed class TypicalCosts : ICodecCosts
{
    private const long BatchBytes = 1 << 20;

    private readonly double[] _shrinks;
    private readonly double _speed;
    private readonly double _lz4;

    /// <summary>Makes data.</summary>
    /// <param name="batches">How much.</param>
    /// <param name="shrink">How far it shrinks: 0 for noise, 1 for programs and libraries, 1.6 for text.</param>
    /// <param name="noise">The share of batches that are noise.</param>
    /// <param name="speed">How fast the machine is, 1 for the measured one.</param>
    /// <param name="lz4">How fast LZ4 is beside the others, 1 for the measured one.</param>
    public TypicalCosts(int batches, double shrink, double noise = 0, double speed = 1, double lz4 = 1)
    {
        Random random = new(batches);
        _speed = speed;
        _lz4 = lz4;
        _shrinks = [.. Enumerable.Range(0, batches).Select(_ => random.NextDouble() < noise ? 0 : shrink * (0.5 + random.NextDouble()))];
    }

    public int Batches => _shrinks.Length;

    public long PayloadOf(int batch) => BatchBytes;

    public BatchCost CostOf(int batch, BatchCodec codec)
    {
        double data = _shrinks[batch];
        (double rate, double shrink) = codec switch
        {
            { Kind: CodecKind.Raw } => (1e12, 0),
            { Kind: CodecKind.Lz4 } => (330e6 * _lz4, 0.69 * data),
            { Level: 1 } => (380e6, 0.90 * data),
            { Level: 3 } => (200e6, 0.98 * data),
            { Level: 6 } => (80e6, 1.06 * data),
            _ => (3e6, 1.18 * data),
        };
        bool useless = data == 0 && codec.Kind == CodecKind.Zstd;
        return useless
            ? new BatchCost(BatchCodec.Raw, BatchBytes, 10e-6)
            : new BatchCost(codec, (long)(BatchBytes * Math.Exp(-shrink)), BatchBytes / (rate * _speed) / (data == 0 ? 4 : 1));
    }
}
