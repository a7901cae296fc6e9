using DiskSync.Codecs;
using DiskSync.Engine.Replication;
using DiskSync.TestSupport.Copying;

namespace DiskSync.Bench.CodecChoice;

/// <summary>What the real compressors make of the batches of a real file; each batch and codec is measured once.</summary>
/// <remarks>The file is gone through again until there are enough batches: a short copy shows little but its start.</remarks>
internal sealed class MeasuredCosts : ICodecCosts, IDisposable
{
    private const int BatchBytes = 1 << 20;
    private const int BlockBytes = 64 << 10;

    private readonly byte[] _data;
    private readonly int _distinct;
    private readonly byte[] _room = new byte[BatchBytes];
    private readonly ZstdCompressor _zstd = new();
    private readonly Dictionary<(int Batch, BatchCodec Codec), BatchCost> _known = [];

    public MeasuredCosts(byte[] data, int batches)
    {
        _data = data;
        _distinct = (data.Length + BatchBytes - 1) / BatchBytes;
        Batches = Math.Max(batches, _distinct);

        // Compilation and the first touch of memory are no costs of a codec.
        foreach (BatchCodec codec in (BatchCodec[])[BatchCodec.Lz4, BatchCodec.Zstd(1), BatchCodec.Zstd(18)])
        {
            Measure(0, codec);
        }
    }

    public int Batches { get; }

    public long PayloadOf(int batch) => Content(batch).Length;

    public BatchCost CostOf(int batch, BatchCodec codec)
    {
        batch %= _distinct;
        if (!_known.TryGetValue((batch, codec), out BatchCost cost))
        {
            cost = Measure(batch, codec);
            _known.Add((batch, codec), cost);
        }

        return cost;
    }

    public void Dispose() => _zstd.Dispose();

    private ReadOnlySpan<byte> Content(int batch)
    {
        int at = batch % _distinct * BatchBytes;
        return _data.AsSpan(at, Math.Min(BatchBytes, _data.Length - at));
    }

    private BatchCost Measure(int batch, BatchCodec codec)
    {
        ReadOnlySpan<byte> content = Content(batch);
        double start = ThreadClock.Seconds;
        long bytes = codec.Kind switch
        {
            CodecKind.Lz4 => Lz4Bytes(content),
            CodecKind.Zstd when !NoiseCheck.IsNoise(content) =>
                _zstd.Compress(content, _room.AsSpan(0, content.Length - (content.Length / 64)), codec.Level),
            _ => 0,
        };
        return new BatchCost(
            bytes == 0 ? BatchCodec.Raw : codec, bytes == 0 ? content.Length : bytes, ThreadClock.Seconds - start);
    }

    private long Lz4Bytes(ReadOnlySpan<byte> content)
    {
        long bytes = 0;
        for (int at = 0; at < content.Length; at += BlockBytes)
        {
            ReadOnlySpan<byte> block = content[at..Math.Min(at + BlockBytes, content.Length)];
            int packed = Lz4.Compress(block, _room.AsSpan(0, block.Length - (block.Length / 16)));
            bytes += packed == 0 ? block.Length : packed;
        }

        return bytes;
    }
}
