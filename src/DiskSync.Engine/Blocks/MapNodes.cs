using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Blocks;

/// <summary>The level-1 nodes of a <see cref="PagedMap"/> and what is known about its pages; the levels above are folded from them.</summary>
/// <remarks>
/// One group for each 256 pages, made when one of them is touched: 8 KiB for 256 x 256 blocks, so 32 MiB for a dense
/// terabyte of 4 KiB blocks and nothing for its holes. A root costs one node for each changed page, one for each
/// group that has one, and the few levels above. Not thread safe; the map's lock covers it.
/// </remarks>
internal sealed class MapNodes
{
    private readonly BlockGeometry _geometry;
    private readonly Func<long, Hash256> _defaultNode;
    private readonly Group?[] _groups;
    private readonly long _pages;
    private Hash256 _uniformNode;

    public MapNodes(BlockGeometry geometry, Func<long, Hash256> defaultNode)
    {
        _geometry = geometry;
        _defaultNode = defaultNode;
        _pages = MapNode.CountAt(geometry.BlockCount, 1);
        _groups = new Group?[(_pages + MapNode.Fanout - 1) / MapNode.Fanout];
    }

    private enum PageState : byte
    {
        /// <summary>The file has not been asked.</summary>
        Unasked,

        /// <summary>Never stored.</summary>
        Absent,

        /// <summary>Stored, or in the cache.</summary>
        Present,
    }

    public bool IsAbsent(long page) => GroupOf(page).States[Index(page)] == PageState.Absent;

    public void MarkAbsent(long page) => GroupOf(page).States[Index(page)] = PageState.Absent;

    public void MarkPresent(long page) => GroupOf(page).States[Index(page)] = PageState.Present;

    /// <summary>A page has changed: its node and those above are stale.</summary>
    public void Invalidate(long page)
    {
        Group group = GroupOf(page);
        group.Nodes[Index(page)] = Hash256.Unknown;
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
        Group group = GroupOf((long)index * MapNode.Fanout);
        if (!group.Node.IsUnknown)
        {
            return group.Node;
        }

        int count = (int)Math.Min(MapNode.Fanout, _pages - ((long)index * MapNode.Fanout));
        for (int i = 0; i < count; i++)
        {
            group.Nodes[i] = NodeOfPage(((long)index * MapNode.Fanout) + i, nodeOf);
        }

        Span<byte> children = stackalloc byte[MapNode.Fanout * Hash256.Size];
        return group.Node = Fold(group.Nodes.AsSpan(0, count), children);
    }

    private Hash256 NodeOfPage(long page, Func<long, Hash256?> nodeOf)
    {
        ref Hash256 node = ref GroupOf(page).Nodes[Index(page)];
        if (node.IsUnknown)
        {
            node = nodeOf(page) ?? (page == _pages - 1 ? _defaultNode(page) : UniformNode());
        }

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

    private Group GroupOf(long page) => _groups[page / MapNode.Fanout] ??= new Group();

    private sealed class Group
    {
        public Hash256[] Nodes { get; } = new Hash256[MapNode.Fanout];

        public PageState[] States { get; } = new PageState[MapNode.Fanout];

        public Hash256 Node { get; set; }
    }
}
