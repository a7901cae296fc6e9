using System.Collections.Concurrent;
using DiskSync.Codecs;
using DiskSync.Formats.Wire;

namespace DiskSync.Engine.Replication;

/// <summary>Makes the payload of finished batches one zstd frame each.</summary>
/// <remarks>
/// Thread safe: there are as many contexts as callers at the same time, and they are kept, because making one costs
/// more than a small batch. Owns them.
/// </remarks>
internal sealed class BatchPacker : IDisposable
{
    // What takes off less than this is not worth the decoding.
    private const int WorthPacking = 64;

    private readonly ConcurrentBag<ZstdCompressor> _idle = [];

    /// <summary>Packs a batch where that pays.</summary>
    /// <returns>False where it does not: the batch is as it was. Noise is recognised before anything is spent on it.</returns>
    public bool TryPack(BlocksWriter batch, int level)
    {
        if (NoiseCheck.IsNoise(batch.Payload))
        {
            return false;
        }

        ZstdCompressor compressor = Rent();
        bool packed = batch.TryPack(compressor, level, batch.PayloadLength - (batch.PayloadLength / WorthPacking));
        _idle.Add(compressor);
        return packed;
    }

    /// <summary>Compresses some bytes, for their length only.</summary>
    /// <returns>The length of the frame, or that of the source where it does not fit the destination.</returns>
    public int LengthOf(ReadOnlySpan<byte> source, Span<byte> destination, int level)
    {
        ZstdCompressor compressor = Rent();
        int length = compressor.Compress(source, destination, level);
        _idle.Add(compressor);
        return length == 0 ? source.Length : length;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        while (_idle.TryTake(out ZstdCompressor? compressor))
        {
            compressor.Dispose();
        }
    }

    private ZstdCompressor Rent() => _idle.TryTake(out ZstdCompressor? idle) ? idle : new ZstdCompressor();
}
