using System.Numerics;
using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Blocks;

/// <summary>What <see cref="MapNodes"/> knows of 256 neighbouring pages: which are stored, and the nodes of those.</summary>
/// <remarks>Pages that were never stored have no room here, so a group costs 100 bytes and 32 more for each stored page. Not thread safe.</remarks>
internal sealed class MapNodeGroup
{
    private const int WordBits = 64;

    private readonly ulong[] _asked = new ulong[MapNode.Fanout / WordBits];
    private readonly ulong[] _present = new ulong[MapNode.Fanout / WordBits];
    private Hash256[] _nodes = [];

    /// <summary>The node over the group, or unknown where it has to be computed.</summary>
    public Hash256 Node { get; set; }

    /// <summary>Whether it is known if a page is stored.</summary>
    public bool IsAsked(int index) => Has(_asked, index);

    /// <summary>Whether a page is stored or in the cache.</summary>
    public bool IsPresent(int index) => Has(_present, index);

    /// <summary>Whether a page is known to have never been stored.</summary>
    public bool IsAbsent(int index) => IsAsked(index) && !IsPresent(index);

    /// <summary>None of the pages was ever stored.</summary>
    public void MarkAllAbsent() => Array.Fill(_asked, ulong.MaxValue);

    /// <summary>A page was never stored.</summary>
    public void MarkAbsent(int index) => _asked[index / WordBits] |= 1UL << (index % WordBits);

    /// <summary>A page is stored or in the cache; its node is unknown until it is set.</summary>
    public void MarkPresent(int index)
    {
        MarkAbsent(index);
        if (IsPresent(index))
        {
            return;
        }

        int at = Position(index);
        int count = Position(MapNode.Fanout);
        if (count == _nodes.Length)
        {
            Array.Resize(ref _nodes, Math.Min(MapNode.Fanout, Math.Max(4, count * 2)));
        }

        Array.Copy(_nodes, at, _nodes, at + 1, count - at);
        _nodes[at] = Hash256.Unknown;
        _present[index / WordBits] |= 1UL << (index % WordBits);
    }

    /// <summary>The node of a page that is present.</summary>
    public ref Hash256 NodeOf(int index) => ref _nodes[Position(index)];

    private static bool Has(ulong[] bits, int index) => (bits[index / WordBits] >> (index % WordBits) & 1) != 0;

    /// <summary>How many present pages come before one: its node's place.</summary>
    private int Position(int index)
    {
        int position = 0;
        for (int word = 0; word < index / WordBits; word++)
        {
            position += BitOperations.PopCount(_present[word]);
        }

        return index % WordBits == 0
            ? position
            : position + BitOperations.PopCount(_present[index / WordBits] & ((1UL << (index % WordBits)) - 1));
    }
}
