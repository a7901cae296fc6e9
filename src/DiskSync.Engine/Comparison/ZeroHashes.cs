using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Comparison;

/// <summary>The hashes of blocks of zeros under one geometry. Immutable, thread safe.</summary>
internal sealed class ZeroHashes
{
    private readonly BlockGeometry _geometry;
    private readonly Hash256 _whole;
    private readonly Hash256 _last;

    /// <summary>Hashes a whole block of zeros, and a short last one where there is one.</summary>
    public ZeroHashes(BlockGeometry geometry)
    {
        _geometry = geometry;
        _whole = ZeroBlock.HashOf(geometry.Granularity);
        _last = geometry.BlockCount == 0 ? _whole : ZeroBlock.HashOf(geometry.LengthOf(geometry.BlockCount - 1));
    }

    /// <summary>The hash of a block if it were zeros.</summary>
    public Hash256 Of(long block) => block == _geometry.BlockCount - 1 ? _last : _whole;

    /// <summary>Hashes neighbouring blocks that were read together; zeros are recognised without hashing.</summary>
    /// <param name="bytes">The blocks' content.</param>
    /// <param name="first">The number of the first block.</param>
    /// <param name="hashes">One element a block.</param>
    public void Hash(ReadOnlySpan<byte> bytes, long first, Span<Hash256> hashes)
    {
        if (!ZeroCheck.IsZero(bytes))
        {
            Blake3.HashBlocks(bytes, _geometry.Granularity, hashes, []);
            return;
        }

        for (int i = 0; i < hashes.Length; i++)
        {
            hashes[i] = Of(first + i);
        }
    }

    /// <summary>The runs of a range that reads as zeros: one, or two where it ends with a short last block.</summary>
    public IEnumerable<HashRun> Runs(long first, long count)
    {
        bool shortLast = first + count == _geometry.BlockCount && _last != _whole;
        long whole = shortLast ? count - 1 : count;
        if (whole > 0)
        {
            yield return new HashRun(first, whole, _whole, IsZero: true);
        }

        if (shortLast)
        {
            yield return new HashRun(first + whole, 1, _last, IsZero: true);
        }
    }
}
