using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Blocks;

/// <summary>The level-1 nodes of a <see cref="PagedMap"/> and what is known about its pages; the levels above are folded from them.</summary>
/// <remarks>
/// One <see cref="MapNodeGroup"/> for each 256 pages, made when one of them is stored: 8 KiB where all of its pages are,
/// so 32 MiB for a dense terabyte of 4 KiB blocks. Groups in holes share one object, and are eight bytes each. A root
/// costs one node for each changed page, one for each group that has one, and the few levels above. Not thread safe; the
/// map's lock covers it.
/// </remarks>
internal sealed class MapNodes
{
    private readonly BlockGeometry _geometry;
    private readonly Func<long, Hash256> _defaultNode;

    // Null where nobody has asked; the shared one where all pages were never stored.
    private readonly MapNodeGroup?[] _groups;
    private readonly MapNodeGroup _absent = new();
    private readonly long _pages;
    private Hash256 _uniformNode;
    private Hash256 _uniformGroup;

    public MapNodes(BlockGeometry geometry, Func<long, Hash256> defaultNode)
    {
        _geometry = geometry;
        _defaultNode = defaultNode;
        _pages = MapNode.CountAt(geometry.BlockCount, 1);
        _groups = new MapNodeGroup?[(_pages + MapNode.Fanout - 1) / MapNode.Fanout];
        _absent.MarkAllAbsent();
    }

    /// <summary>Whether it is known if a page is stored.</summary>
    public bool IsAsked(long page) => _groups[page / MapNode.Fanout]?.IsAsked(Index(page)) ?? false;

    /// <summary>Whether a page is known to have never been stored.</summary>
    public bool IsAbsent(long page) => _groups[page / MapNode.Fanout]?.IsAbsent(Index(page)) ?? false;

    /// <summary>The end of the pages from one on that are known to have never been stored, as far as that can be told without looking at each: the page itself, or the end of its group.</summary>
    public long AbsentEnd(long page) =>
        ReferenceEquals(_groups[page / MapNode.Fanout], _absent) ? Math.Min(_pages, ((page / MapNode.Fanout) + 1) * MapNode.Fanout) : page;

    /// <summary>Pages were never stored, except those that are known to be.</summary>
    public void MarkAbsent(long first, long end)
    {
        for (long page = first; page < end;)
        {
            long next = Math.Min(end, ((page / MapNode.Fanout) + 1) * MapNode.Fanout);
            ref MapNodeGroup? group = ref _groups[page / MapNode.Fanout];
            if (group is null && page % MapNode.Fanout == 0 && (next == _pages || next - page == MapNode.Fanout))
            {
                group = _absent;
            }
            else if (!ReferenceEquals(group, _absent))
            {
                group ??= new MapNodeGroup();
                for (; page < next; page++)
                {
                    group.MarkAbsent(Index(page));
                }
            }

            page = next;
        }
    }

    public void MarkPresent(long page) => GroupOf(page).MarkPresent(Index(page));

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
        if (_groups[index] is { Node: { IsUnknown: false } known })
        {
            return known;
        }

        if (AbsentEnd(first) - first == MapNode.Fanout && first + MapNode.Fanout < _pages && !_uniformGroup.IsUnknown)
        {
            return _uniformGroup;
        }

        int count = (int)Math.Min(MapNode.Fanout, _pages - first);
        Span<byte> children = stackalloc byte[MapNode.Fanout * Hash256.Size];
        bool uniform = count == MapNode.Fanout && first + count < _pages;
        for (int i = 0; i < count; i++)
        {
            Hash256 node = NodeOfPage(first + i, nodeOf);
            uniform &= IsAbsent(first + i);
            node.CopyTo(children[(i * Hash256.Size)..]);
        }

        // Most groups of a sparse image are all alike: hashed once.
        if (!uniform)
        {
            Hash256 node = MapNode.Hash(children[..(count * Hash256.Size)]);
            return ReferenceEquals(_groups[index], _absent) ? node : GroupOf(first).Node = node;
        }

        if (_uniformGroup.IsUnknown)
        {
            _uniformGroup = MapNode.Hash(children);
        }

        // Whoever asked for its pages one by one has made a group of its own; now it is known to be like the others.
        _groups[index] = _absent;
        return _uniformGroup;
    }

    /// <summary>The node over one page.</summary>
    /// <param name="page">The page.</param>
    /// <param name="nodeOf">As in <see cref="Root"/>.</param>
    public Hash256 NodeOfPage(long page, Func<long, Hash256?> nodeOf)
    {
        int index = Index(page);
        if (_groups[page / MapNode.Fanout] is { } group && group.IsPresent(index) && group.NodeOf(index) is { IsUnknown: false } known)
        {
            return known;
        }

        if (IsAbsent(page) || nodeOf(page) is not { } node)
        {
            return page == _pages - 1 ? _defaultNode(page) : UniformNode();
        }

        // Asking may have found out only now that the page is there.
        GroupOf(page).NodeOf(index) = node;
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

    /// <summary>A page's group, to be changed.</summary>
    private MapNodeGroup GroupOf(long page)
    {
        ref MapNodeGroup? group = ref _groups[page / MapNode.Fanout];
        if (ReferenceEquals(group, _absent))
        {
            group = new MapNodeGroup();
            group.MarkAllAbsent();
        }

        return group ??= new MapNodeGroup();
    }
}
