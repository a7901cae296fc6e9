using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Blocks;

/// <summary>The level-1 nodes of a <see cref="PagedMap"/> and what is known about its pages; the levels above are folded from them.</summary>
/// <remarks>
/// One <see cref="MapNodeGroup"/> for each 256 pages, made when one of them is touched: 8 KiB where all of its pages are
/// stored, so 32 MiB for a dense terabyte of 4 KiB blocks, and next to nothing for holes. A root costs one node for each
/// changed page, one for each group that has one, and the few levels above. Not thread safe; the map's lock covers it.
/// </remarks>
internal sealed class MapNodes
{
    private readonly BlockGeometry _geometry;
    private readonly Func<long, Hash256> _defaultNode;
    private readonly MapNodeGroup?[] _groups;
    private readonly long _pages;
    private Hash256 _uniformNode;
    private Hash256 _uniformGroup;

    public MapNodes(BlockGeometry geometry, Func<long, Hash256> defaultNode)
    {
        _geometry = geometry;
        _defaultNode = defaultNode;
        _pages = MapNode.CountAt(geometry.BlockCount, 1);
        _groups = new MapNodeGroup?[(_pages + MapNode.Fanout - 1) / MapNode.Fanout];
    }

    /// <summary>Whether it is known if a page is stored.</summary>
    public bool IsAsked(long page) => GroupOf(page).IsAsked(Index(page));

    /// <summary>Whether a page is known to have never been stored.</summary>
    public bool IsAbsent(long page) => IsAsked(page) && !GroupOf(page).IsPresent(Index(page));

    public void MarkAbsent(long page) => GroupOf(page).MarkAbsent(Index(page));

    public void MarkPresent(long page)
    {
        MapNodeGroup group = GroupOf(page);
        group.MarkPresent(Index(page));
    }

    /// <summary>A page that is present has changed: its node and those above are stale.</summary>
    public void Invalidate(long page)
    {
        MapNodeGroup group = GroupOf(page);
        group.NodeOf(Index(page)) = Hash256.Unknown;
        group.Node = Hash256.Unknown;
    }

    /// <summary>The root hash.</summary>
    /// <param name="nodeOf">Computes a page's node; null where the page was never stored.</param>
    public Hash256 Root(Func<long, Hash256?> nodeOf)
    {
        if (_geometry.BlockCount == 0)
        {
            return MapNode.Root(_geometry, MapNode.Hash([]));
        }

        if (_pages == 1)
        {
            return MapNode.Root(_geometry, NodeOfPage(0, nodeOf));
        }

        Hash256[] level = new Hash256[_groups.Length];
        for (int i = 0; i < level.Length; i++)
        {
            level[i] = NodeOfGroup(i, nodeOf);
        }

        Span<byte> children = stackalloc byte[MapNode.Fanout * Hash256.Size];
        while (level.Length > 1)
        {
            Hash256[] above = new Hash256[(level.Length + MapNode.Fanout - 1) / MapNode.Fanout];
            for (int i = 0; i < above.Length; i++)
            {
                ReadOnlySpan<Hash256> part = level.AsSpan(i * MapNode.Fanout, Math.Min(MapNode.Fanout, level.Length - (i * MapNode.Fanout)));
                above[i] = Fold(part, children);
            }

            level = above;
        }

        return MapNode.Root(_geometry, level[0]);
    }

    private static Hash256 Fold(ReadOnlySpan<Hash256> nodes, Span<byte> children)
    {
        for (int i = 0; i < nodes.Length; i++)
        {
            nodes[i].CopyTo(children[(i * Hash256.Size)..]);
        }

        return MapNode.Hash(children[..(nodes.Length * Hash256.Size)]);
    }

    private static int Index(long page) => (int)(page % MapNode.Fanout);

    private Hash256 NodeOfGroup(int index, Func<long, Hash256?> nodeOf)
    {
        long first = (long)index * MapNode.Fanout;
        MapNodeGroup group = GroupOf(first);
        if (!group.Node.IsUnknown)
        {
            return group.Node;
        }

        int count = (int)Math.Min(MapNode.Fanout, _pages - first);
        Span<byte> children = stackalloc byte[MapNode.Fanout * Hash256.Size];
        bool uniform = count == MapNode.Fanout && first + count < _pages;
        for (int i = 0; i < count; i++)
        {
            Hash256 node = NodeOfPage(first + i, nodeOf);
            uniform &= !group.IsPresent(i);
            node.CopyTo(children[(i * Hash256.Size)..]);
        }

        // Most groups of a sparse image are all alike: hashed once.
        if (!uniform)
        {
            return group.Node = MapNode.Hash(children[..(count * Hash256.Size)]);
        }

        if (_uniformGroup.IsUnknown)
        {
            _uniformGroup = MapNode.Hash(children);
        }

        return group.Node = _uniformGroup;
    }

    private Hash256 NodeOfPage(long page, Func<long, Hash256?> nodeOf)
    {
        MapNodeGroup group = GroupOf(page);
        int index = Index(page);
        if (group.IsPresent(index) && group.NodeOf(index) is { IsUnknown: false } known)
        {
            return known;
        }

        if (IsAbsent(page) || nodeOf(page) is not { } node)
        {
            return page == _pages - 1 ? _defaultNode(page) : UniformNode();
        }

        // Asking may have found out only now that the page is there.
        group.NodeOf(index) = node;
        return node;
    }

    private Hash256 UniformNode()
    {
        if (_uniformNode.IsUnknown)
        {
            _uniformNode = _defaultNode(0);
        }

        return _uniformNode;
    }

    private MapNodeGroup GroupOf(long page) => _groups[page / MapNode.Fanout] ??= new MapNodeGroup();
}
