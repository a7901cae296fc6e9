using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Formats;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.SavedMap;
using DiskSync.Linux;

namespace DiskSync.Engine.SavedMaps;

/// <summary>Reads a saved map's tree: whatever it says is proven by the root of its record.</summary>
/// <remarks>
/// Nothing is read when it is opened. A hash costs one group of 8 KiB for each level that was not read before; groups of
/// nodes are kept, those of block hashes are not. Owns the file. Not thread safe.
/// </remarks>
internal sealed class SavedMapFile : IDisposable
{
    private const int MaxKept = 1024;

    private readonly LinuxFile _file;
    private readonly Hash256 _root;
    private readonly Dictionary<long, byte[]> _kept = [];
    private Hash256 _zeroPage;

    /// <summary>Opens a tree.</summary>
    /// <param name="file">Its file; owned from now on, also when this throws.</param>
    /// <param name="geometry">The image's geometry.</param>
    /// <param name="root">The root that its record names.</param>
    /// <exception cref="FormatViolationException">The file was cut off.</exception>
    public SavedMapFile(LinuxFile file, BlockGeometry geometry, Hash256 root)
    {
        _file = file;
        _root = root;
        Layout = new SavedMapLayout(geometry);
        long length = file.Length();
        if (length != Layout.Length)
        {
            file.Dispose();
            throw new FormatViolationException("saved map", Math.Min(length, Layout.Length), $"{length} bytes", $"{Layout.Length}");
        }
    }

    /// <summary>The tree's shape.</summary>
    public SavedMapLayout Layout { get; }

    /// <summary>The node over a page none of whose blocks is anything but zeros.</summary>
    public static Hash256 ZeroNode(SavedMapLayout layout, long page)
    {
        Span<byte> hashes = stackalloc byte[SavedMapLayout.GroupBytes];
        FillWithZeroBlocks(layout, page, hashes);
        return MapNode.Hash(hashes[..(layout.CountOf(0, page) * Hash256.Size)]);
    }

    /// <summary>A block's hash.</summary>
    /// <exception cref="FormatViolationException">What is stored is not what was written.</exception>
    public Hash256 Get(long block)
    {
        Span<byte> page = stackalloc byte[SavedMapLayout.GroupBytes];
        ReadPage(block / MapNode.Fanout, page);
        return new Hash256(page[((int)(block % MapNode.Fanout) * Hash256.Size)..]);
    }

    /// <summary>The node over a page, by which a page is compared without being read.</summary>
    /// <exception cref="FormatViolationException">What is stored is not what was written.</exception>
    public Hash256 NodeOf(long page) => NodeAt(1, page);

    /// <summary>Reads the hashes of a page.</summary>
    /// <param name="page">The page.</param>
    /// <param name="hashes">Room for 256.</param>
    /// <exception cref="FormatViolationException">What is stored is not what was written.</exception>
    public void ReadPage(long page, Span<byte> hashes)
    {
        ReadStored(0, page, hashes);
        Hash256 node;
        if (hashes.IndexOfAnyExcept((byte)0) >= 0)
        {
            node = MapNode.Hash(hashes[..(Layout.CountOf(0, page) * Hash256.Size)]);
        }
        else
        {
            FillWithZeroBlocks(Layout, page, hashes);
            node = ZeroNodeOf(page);
        }

        if (node != NodeOf(page))
        {
            throw Damaged(0, page);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private Hash256 NodeAt(int level, long index)
    {
        if (level == Layout.TopLevel)
        {
            Span<byte> top = stackalloc byte[Hash256.Size];
            ReadStored(level, 0, top);
            Hash256 node = new(top);
            return MapNode.Root(Layout.Geometry, node) == _root ? node : throw Damaged(level, 0);
        }

        byte[] group = Group(level, index / MapNode.Fanout);
        return new Hash256(group.AsSpan((int)(index % MapNode.Fanout) * Hash256.Size));
    }

    private byte[] Group(int level, long number)
    {
        long key = Layout.OffsetOf(level, number);
        if (_kept.TryGetValue(key, out byte[]? kept))
        {
            return kept;
        }

        byte[] group = new byte[SavedMapLayout.GroupBytes];
        ReadStored(level, number, group);
        if (MapNode.Hash(group.AsSpan(0, Layout.CountOf(level, number) * Hash256.Size)) != NodeAt(level + 1, number))
        {
            throw Damaged(level, number);
        }

        if (_kept.Count == MaxKept)
        {
            _kept.Clear();
        }

        _kept[key] = group;
        return group;
    }

    private void ReadStored(int level, long group, Span<byte> bytes)
    {
        try
        {
            _file.ReadExactlyAt(bytes, Layout.OffsetOf(level, group));
        }
        catch (EndOfStreamException)
        {
            throw Damaged(level, group);
        }
    }

    private Hash256 ZeroNodeOf(long page)
    {
        if (page + 1 == Layout.GroupsAt(0))
        {
            return ZeroNode(Layout, page);
        }

        if (_zeroPage.IsUnknown)
        {
            _zeroPage = ZeroNode(Layout, page);
        }

        return _zeroPage;
    }

    private static void FillWithZeroBlocks(SavedMapLayout layout, long page, Span<byte> hashes)
    {
        ZeroHashes zeros = new(layout.Geometry);
        for (int i = 0; i < layout.CountOf(0, page); i++)
        {
            zeros.Of((page * MapNode.Fanout) + i).CopyTo(hashes[(i * Hash256.Size)..]);
        }
    }

    private FormatViolationException Damaged(int level, long group) =>
        new("saved map", Layout.OffsetOf(level, group), "hashes that are not what was written", "those that the root is over");
}
