using DiskSync.Codecs;

namespace DiskSync.Formats.BlockMap;

/// <summary>Computes an image's root hash from its block hashes in order, in at most 50 KiB of memory for any image.</summary>
/// <remarks>
/// A run of equal hashes costs at most two part nodes and one node a level, whatever its length, so a sparse
/// terabyte takes microseconds. Not thread safe; one use.
/// </remarks>
public sealed class RootHasher
{
    private readonly BlockGeometry _geometry;
    private readonly byte[]?[] _pending;
    private readonly int[] _pendingCount;
    private readonly long[] _total;

    // The last uniform node of each level: sparse images ask for the same few again and again.
    private readonly Hash256[] _uniformChild;
    private readonly Hash256[] _uniformNode;
    private bool _finished;

    /// <summary>Starts at block 0.</summary>
    /// <param name="geometry">The image's geometry.</param>
    public RootHasher(BlockGeometry geometry)
    {
        _geometry = geometry;
        int levels = MapNode.MaxLevel + 1;
        _pending = new byte[levels][];
        _pendingCount = new int[levels];
        _total = new long[levels];
        _uniformChild = new Hash256[levels];
        _uniformNode = new Hash256[levels];
    }

    /// <summary>How many blocks were appended.</summary>
    public long BlocksAppended => _total[0];

    /// <summary>Appends the next block's hash.</summary>
    public void Append(in Hash256 hash) => AppendRun(1, hash);

    /// <summary>Appends the hashes of the next blocks, all equal, in O(256 log n).</summary>
    /// <param name="count">How many blocks, 0 or more.</param>
    /// <param name="hash">The hash of each; unknown where they have not been hashed.</param>
    /// <exception cref="InvalidOperationException">More blocks than the image has.</exception>
    public void AppendRun(long count, in Hash256 hash)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (_finished || count > _geometry.BlockCount - _total[0])
        {
            throw new InvalidOperationException($"{_total[0]} and {count} blocks, the image has {_geometry.BlockCount}");
        }

        Append(0, count, hash);
    }

    /// <summary>The root hash.</summary>
    /// <exception cref="InvalidOperationException">Not all blocks were appended, or called twice.</exception>
    public Hash256 Finish()
    {
        if (_finished || _total[0] != _geometry.BlockCount)
        {
            throw new InvalidOperationException($"{_total[0]} blocks of {_geometry.BlockCount} were appended");
        }

        _finished = true;
        if (_total[0] == 0)
        {
            return MapNode.Root(_geometry, MapNode.Hash([]));
        }

        for (int level = 0; ; level++)
        {
            if (level > 0 && _total[level] == 1)
            {
                return MapNode.Root(_geometry, new Hash256(_pending[level]));
            }

            if (_pendingCount[level] > 0)
            {
                Close(level);
            }
        }
    }

    private void Append(int level, long count, in Hash256 hash)
    {
        if (_pendingCount[level] > 0)
        {
            int filled = (int)Math.Min(count, MapNode.Fanout - _pendingCount[level]);
            Fill(level, filled, hash);
            count -= filled;
        }

        if (count >= MapNode.Fanout)
        {
            // Whole nodes of equal children: the node once, then a run of it one level up.
            long nodes = count / MapNode.Fanout;
            Hash256 node = UniformNode(level, hash);
            _total[level] += nodes * MapNode.Fanout;
            count -= nodes * MapNode.Fanout;
            Append(level + 1, nodes, node);
        }

        Fill(level, (int)count, hash);
    }

    private void Fill(int level, int count, in Hash256 hash)
    {
        _pending[level] ??= new byte[MapNode.Fanout * Hash256.Size];
        Span<byte> free = _pending[level].AsSpan(_pendingCount[level] * Hash256.Size);
        for (int i = 0; i < count; i++)
        {
            hash.CopyTo(free[(i * Hash256.Size)..]);
        }

        _total[level] += count;
        _pendingCount[level] += count;
        if (_pendingCount[level] == MapNode.Fanout)
        {
            Close(level);
        }
    }

    private void Close(int level)
    {
        Hash256 node = MapNode.Hash(_pending[level].AsSpan(0, _pendingCount[level] * Hash256.Size));
        _pendingCount[level] = 0;
        Append(level + 1, 1, node);
    }

    private Hash256 UniformNode(int level, in Hash256 child)
    {
        // An unset cache entry has an unknown node, which no node is.
        if (_uniformNode[level].IsUnknown || _uniformChild[level] != child)
        {
            _uniformChild[level] = child;
            _uniformNode[level] = MapNode.Uniform(child, MapNode.Fanout);
        }

        return _uniformNode[level];
    }
}
