using System.Buffers.Binary;
using DiskSync.Codecs;
using DiskSync.Engine.Journal;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Engine.Blocks;

/// <summary>The block hashes of one image of any size, in bounded memory: pages of 256 hashes in a file, holes for nothing.</summary>
/// <remarks>
/// <para>A page holds 256 block hashes, which are the children of one level-1 node of the root's tree. It is stored at
/// PAGE x 8,224 bytes as the hashes (8,192 bytes) and a check (32 bytes: BLAKE3 keyed with the page's number over
/// them). A page of zero bytes, or past the file's end, was never stored: all its blocks have the map's default, which
/// is either "unknown" or "zeros". A page whose check is wrong reads as unknown and is counted in
/// <see cref="DamagedPages"/>.</para>
/// <para>Whether stored pages may be believed after a restart is not known here: the transfer journal says.</para>
/// <para>Thread safe: one lock, held during the map's own I/O but not while it is made durable. Nothing is durable before <see cref="Flush"/>.</para>
/// </remarks>
public sealed class PagedMap : IDisposable
{
    /// <summary>The blocks of one page.</summary>
    public const int PageBlocks = MapNode.Fanout;

    /// <summary>How many pages are kept in memory, unless whoever makes the map says otherwise.</summary>
    public const int UsualCachedPages = 1024;

    private const int HashBytes = PageBlocks * Hash256.Size;
    private const int StoredBytes = HashBytes + Hash256.Size;

    private readonly Lock _lock = new();
    private readonly IStateFile _file;
    private readonly bool _defaultIsZero;
    private readonly Dictionary<long, MapPage> _cache = [];
    private readonly Queue<long> _order = new();
    private readonly MapNodes _nodes;

    /// <summary>Opens a map over its file.</summary>
    /// <param name="geometry">The image's geometry.</param>
    /// <param name="file">The map's file; owned from now on.</param>
    /// <param name="defaultIsZero">What blocks of never stored pages hold: zeros, or nobody knows what.</param>
    public PagedMap(BlockGeometry geometry, IStateFile file, bool defaultIsZero)
    {
        Geometry = geometry;
        _file = file;
        _defaultIsZero = defaultIsZero;
        _nodes = new MapNodes(geometry, DefaultNode);
    }

    /// <summary>How the image is cut into blocks.</summary>
    public BlockGeometry Geometry { get; }

    /// <summary>How many stored pages were damaged when they were read; their blocks are unknown.</summary>
    public long DamagedPages { get; private set; }

    /// <summary>The length of a map's file that is kept: it has it from the start, sparse, so that one that was cut off can be told.</summary>
    /// <remarks>A file that is shorter would read as the default behind its end, which may mean zeros.</remarks>
    public static long StoredLength(BlockGeometry geometry) =>
        (geometry.BlockCount + PageBlocks - 1) / PageBlocks * StoredBytes;

    /// <summary>How many blocks have a known hash; counts, so it costs a pass over the map.</summary>
    public long KnownCount
    {
        get
        {
            long known = 0;
            foreach (HashRun run in GetRuns(0, Geometry.BlockCount))
            {
                known += run.Hash.IsUnknown ? 0 : run.Count;
            }

            return known;
        }
    }

    private int CachedPages { get; init; } = UsualCachedPages;

    private long PageCount => (Geometry.BlockCount + PageBlocks - 1) / PageBlocks;

    /// <summary>Makes a map that lives as long as the object, in an unlinked file.</summary>
    /// <param name="geometry">The image's geometry.</param>
    /// <param name="defaultIsZero">What the blocks hold at first: zeros, or nobody knows what.</param>
    /// <param name="cachedPages">How many pages of 8 KiB may be in memory.</param>
    public static PagedMap CreateTemporary(BlockGeometry geometry, bool defaultIsZero, int cachedPages = UsualCachedPages) =>
        new(geometry, DiskStateFile.CreateTemporary("block map"), defaultIsZero) { CachedPages = cachedPages };

    /// <summary>A block's hash, or <see cref="Hash256.Unknown"/>.</summary>
    public Hash256 Get(long block)
    {
        lock (_lock)
        {
            CheckRange(block, 1);
            return PageOf(block / PageBlocks) is { } page ? page[(int)(block % PageBlocks)] : DefaultOf(block);
        }
    }

    /// <summary>Sets a block's hash.</summary>
    public void Set(long block, Hash256 hash) => SetRun(block, 1, hash);

    /// <summary>Sets the hashes of neighbouring blocks to one value.</summary>
    public void SetRun(long first, long count, Hash256 hash)
    {
        lock (_lock)
        {
            CheckRange(first, count);
            for (long block = first; block < first + count;)
            {
                long page = block / PageBlocks;
                int index = (int)(block % PageBlocks);
                int part = (int)Math.Min(PageBlocks - index, first + count - block);
                SetInPage(page, index, part, hash);
                block += part;
            }
        }
    }

    /// <summary>Sets the hashes of neighbouring blocks to those of zeros; the image's short last block has one of its own.</summary>
    public void SetZeroRun(long first, long count)
    {
        if (count == 0)
        {
            return;
        }

        long last = first + count - 1;
        int lastLength = Geometry.LengthOf(last);
        SetRun(first, count - 1, ZeroBlock.HashOf(Geometry.Granularity));
        SetRun(last, 1, ZeroBlock.HashOf(lastLength));
    }

    /// <summary>Makes all blocks of some pages unknown: a claim that was withdrawn and may not be believed.</summary>
    public void Forget(long firstPage, long pageCount)
    {
        long first = firstPage * PageBlocks;
        SetRun(first, Math.Min(pageCount * PageBlocks, Geometry.BlockCount - first), Hash256.Unknown);
    }

    /// <summary>The hashes of neighbouring blocks in order, equal neighbours as runs; never stored stretches cost little.</summary>
    public IEnumerable<HashRun> GetRuns(long first, long count)
    {
        CheckRange(first, count);
        Hash256 hash = default;
        uint length = 0;
        for (long block = first; block < first + count; block++)
        {
            long left = first + count - block;
            (Hash256 next, long same) = RunAt(block, left);
            if (length > 0 && next == hash && same <= uint.MaxValue - length)
            {
                length += (uint)same;
            }
            else
            {
                if (length > 0)
                {
                    yield return new HashRun(length, hash);
                }

                (hash, length) = (next, (uint)same);
            }

            block += same - 1;
        }

        if (length > 0)
        {
            yield return new HashRun(length, hash);
        }
    }

    /// <summary>The node over one page, by which pages are compared without looking at their hashes.</summary>
    public Hash256 NodeOf(long page)
    {
        lock (_lock)
        {
            return _nodes.NodeOfPage(page, number => PageOf(number)?.Node());
        }
    }

    /// <summary>The root hash over the map as it is; unknown blocks count as 32 zero bytes.</summary>
    public Hash256 Root()
    {
        lock (_lock)
        {
            return _nodes.Root(page => PageOf(page)?.Node());
        }
    }

    /// <summary>Copies the hashes of one page.</summary>
    /// <param name="page">The page.</param>
    /// <param name="hashes">Room for 256 of them; what the image's last page does not have stays as it is.</param>
    /// <returns>False where the page was never stored, and nothing was copied: all its blocks have the map's default.</returns>
    public bool TryCopyPage(long page, Span<byte> hashes)
    {
        lock (_lock)
        {
            if (PageOf(page) is not { } stored)
            {
                return false;
            }

            stored.WriteTo(hashes);
            return true;
        }
    }

    /// <summary>Writes changed pages and makes the file durable.</summary>
    /// <exception cref="DiskSyncException">The file failed.</exception>
    public void Flush()
    {
        lock (_lock)
        {
            foreach ((long number, MapPage page) in _cache)
            {
                WriteBack(number, page);
            }
        }

        // Not under the lock: whoever goes on writing blocks meanwhile does not wait for the medium.
        _file.Flush();
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private (Hash256 Hash, long Count) RunAt(long block, long max)
    {
        const int MaxStretch = 1 << 30;
        lock (_lock)
        {
            long page = block / PageBlocks;
            if (PageOf(page) is { } stored)
            {
                int index = (int)(block % PageBlocks);
                Hash256 hash = stored[index];
                int end = (int)Math.Min(PageBlocks, index + max);
                int same = 1;
                while (index + same < end && stored[index + same] == hash)
                {
                    same++;
                }

                return (hash, same);
            }

            // Pages that were never stored, as many as there are; the image's last block may have a zero hash of its own.
            long endPage = page + 1;
            while (endPage < PageCount && (endPage * PageBlocks) - block < Math.Min(max, MaxStretch) && PageOf(endPage) is null)
            {
                endPage = Math.Max(endPage + 1, _nodes.AbsentEnd(endPage));
            }

            Hash256 value = DefaultOf(block);
            long endBlock = Math.Min(Math.Min(endPage * PageBlocks, Geometry.BlockCount), block + max);
            if (endBlock == Geometry.BlockCount && endBlock - block > 1 && DefaultOf(endBlock - 1) != value)
            {
                endBlock--;
            }

            return (value, endBlock - block);
        }
    }

    private void SetInPage(long number, int index, int count, Hash256 hash)
    {
        MapPage? page = PageOf(number);
        if (page is null)
        {
            long first = (number * PageBlocks) + index;
            if (hash == DefaultOf(first) && hash == DefaultOf(first + count - 1))
            {
                return;
            }

            page = FreshPage(number);
            for (int i = 0; i < page.Count; i++)
            {
                page[i] = DefaultOf((number * PageBlocks) + i);
            }

            Keep(number, page);
        }

        for (int i = index; i < index + count; i++)
        {
            page[i] = hash;
        }

        page.Dirty = true;
        _nodes.Invalidate(number);
    }

    private MapPage? PageOf(long number)
    {
        if (_cache.TryGetValue(number, out MapPage? cached))
        {
            return cached;
        }

        if (!_nodes.IsAsked(number))
        {
            SkipHole(number);
        }

        return _nodes.IsAbsent(number) ? null : Load(number);
    }

    private MapPage? Load(long number)
    {
        Span<byte> stored = stackalloc byte[StoredBytes];
        int read = _file.Read(number * StoredBytes, stored);
        if (stored[..read].IndexOfAnyExcept((byte)0) < 0)
        {
            _nodes.MarkAbsent(number, number + 1);
            return null;
        }

        MapPage page = FreshPage(number);
        if (read == StoredBytes && new Hash256(stored[HashBytes..]) == Check(number, stored[..HashBytes]))
        {
            page.ReadFrom(stored);
        }
        else
        {
            // Unknown is always safe to believe.
            DamagedPages++;
        }

        Keep(number, page);
        return page;
    }

    /// <summary>Marks the pages that lie in a hole of the file as never stored: reading a hole would cost as much as reading data.</summary>
    private void SkipHole(long number)
    {
        long data = _file.NextData(number * StoredBytes);
        long end = Math.Min(PageCount, data / StoredBytes);
        _nodes.MarkAbsent(number, Math.Max(number, end));
    }

    /// <summary>A page of unknown hashes; where the cache is full it is made of the oldest one.</summary>
    private MapPage FreshPage(long number)
    {
        if (_cache.Count < CachedPages)
        {
            return new MapPage(BlocksOf(number));
        }

        // Written before it is let go: a page that cannot be written keeps what only it knows.
        long oldest = _order.Peek();
        MapPage page = _cache[oldest];
        WriteBack(oldest, page);
        _cache.Remove(oldest);
        _order.Dequeue();
        page.Reuse(BlocksOf(number));
        return page;
    }

    private void Keep(long number, MapPage page)
    {
        while (_cache.Count >= CachedPages)
        {
            // Written before it is let go: a page that cannot be written keeps what only it knows.
            long oldest = _order.Peek();
            WriteBack(oldest, _cache[oldest]);
            _cache.Remove(oldest);
            _order.Dequeue();
        }

        _nodes.MarkPresent(number);
        _cache[number] = page;
        _order.Enqueue(number);
    }

    private void WriteBack(long number, MapPage page)
    {
        if (!page.Dirty)
        {
            return;
        }

        Span<byte> stored = stackalloc byte[StoredBytes];
        stored.Clear();
        page.WriteTo(stored);
        Check(number, stored[..HashBytes]).CopyTo(stored[HashBytes..]);
        _file.Write(number * StoredBytes, stored);
        page.Dirty = false;
    }

    private int BlocksOf(long page) => (int)Math.Min(PageBlocks, Geometry.BlockCount - (page * PageBlocks));

    private Hash256 DefaultOf(long block) =>
        _defaultIsZero ? ZeroBlock.HashOf(Geometry.LengthOf(block)) : Hash256.Unknown;

    private Hash256 DefaultNode(long page)
    {
        Span<byte> children = stackalloc byte[HashBytes];
        int count = BlocksOf(page);
        for (int i = 0; i < count; i++)
        {
            DefaultOf((page * PageBlocks) + i).CopyTo(children[(i * Hash256.Size)..]);
        }

        return MapNode.Hash(children[..(count * Hash256.Size)]);
    }

    private static Hash256 Check(long page, ReadOnlySpan<byte> hashes)
    {
        Span<byte> key = stackalloc byte[Hash256.Size];
        key.Clear();
        BinaryPrimitives.WriteInt64LittleEndian(key, page);
        return Blake3.KeyedHash(key, hashes);
    }

    private void CheckRange(long first, long count)
    {
        if (!Geometry.Contains(first, count))
        {
            throw new ArgumentOutOfRangeException(nameof(first), $"blocks {first}+{count}: the image has {Geometry.BlockCount}");
        }
    }
}
