using DiskSync.Codecs;
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
