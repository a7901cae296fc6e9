using DiskSync.Codecs;
using DiskSync.Engine.Dirty;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Blocks;

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

    /// <summary>The hash of a whole block of zeros.</summary>
    public Hash256 Whole => _whole;

    /// <summary>The hash of a block if it were zeros.</summary>
    public Hash256 Of(long block) => block == _geometry.BlockCount - 1 ? _last : _whole;

    /// <summary>Hashes neighbouring blocks that were read together; zeros are recognised without hashing.</summary>
    /// <param name="bytes">The blocks' content.</param>
    /// <param name="first">The number of the first block.</param>
    /// <param name="hashes">One element a block.</param>
    /// <param name="subBlockPrefixes">Empty, or room for those of all sub-blocks; left as it is where all is zeros.</param>
    public void Hash(ReadOnlySpan<byte> bytes, long first, Span<Hash256> hashes, Span<ulong> subBlockPrefixes)
    {
        if (!ZeroCheck.IsZero(bytes))
        {
            Blake3.HashBlocks(bytes, _geometry.Granularity, hashes, subBlockPrefixes);
            return;
        }

        for (int i = 0; i < hashes.Length; i++)
        {
            hashes[i] = Of(first + i);
        }
    }

    /// <summary>The runs of equal hashes of blocks that read as zeros: one, or two where they end with a short last block.</summary>
    public IEnumerable<(BlockRun Run, Hash256 Hash)> Runs(BlockRun zeros)
    {
        bool shortLast = zeros.End == _geometry.BlockCount && _last != _whole;
        long whole = shortLast ? zeros.Count - 1 : zeros.Count;
        if (whole > 0)
        {
            yield return (zeros with { Count = whole }, _whole);
        }

        if (shortLast)
        {
            yield return (new BlockRun(zeros.End - 1, 1), _last);
        }
    }
}
