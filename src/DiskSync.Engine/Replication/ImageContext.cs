using System.Collections.Concurrent;
using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Dirty;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Engine.Replication;

/// <summary>What the workers of one image share: the image, what is dirty, and what the destination holds.</summary>
/// <remarks>Thread safe, since each part is.</remarks>
internal sealed class ImageContext
{
    private readonly bool _mayPatch;
    private readonly ConcurrentDictionary<long, bool> _literalOnly = new();

    public ImageContext(IBlockDevice source, BlockGeometry geometry, PagedMap map, bool mayPatch)
    {
        Source = source;
        Geometry = geometry;
        Map = map;
        Dirty = new DirtyBitmap(geometry.BlockCount);
        _mayPatch = mayPatch && geometry.SubBlocks > 1;
        Zeros = new ZeroHashes(geometry);
    }

    public IBlockDevice Source { get; }

    public BlockGeometry Geometry { get; }

    /// <summary>DestinationMap: what the destination holds now, by its acks (safety rule 1).</summary>
    public PagedMap Map { get; }

    public DirtyBitmap Dirty { get; }

    /// <summary>Where the destination holds contents that were sent lately.</summary>
    public CopyIndex Copies { get; } = new();

    /// <summary>The hashes of blocks of zeros.</summary>
    public ZeroHashes Zeros { get; }

    /// <summary>The destination says what it holds; what was believed to be something else is dirty.</summary>
    public void Correct(long first, long count, Hash256 hash)
    {
        long block = first;
        foreach (HashRun held in Map.GetRuns(first, count).ToArray())
        {
            if (held.Hash != hash)
            {
                Map.SetRun(block, held.Count, hash);
                Dirty.Mark(block, held.Count);
            }

            block += held.Count;
        }
    }

    /// <summary>What a patch of this block could start from.</summary>
    /// <param name="block">The block.</param>
    /// <param name="held">What the destination holds of it.</param>
    public PatchBasis BasisOf(long block, Hash256 held) =>
        !_mayPatch || held.IsUnknown || _literalOnly.ContainsKey(block) ? PatchBasis.None
        : held == Zeros.Of(block) ? PatchBasis.Zeros
        : PatchBasis.Content;

    /// <summary>The destination refused a patch or a copy of this block: it gets a literal.</summary>
    public void RequireLiteral(long block) => _literalOnly[block] = true;

    public bool RequiresLiteral(long block) => _literalOnly.ContainsKey(block);

    /// <summary>The block has been written whole; the next change may be a patch again.</summary>
    public void LiteralArrived(long block) => _literalOnly.TryRemove(block, out _);
}
