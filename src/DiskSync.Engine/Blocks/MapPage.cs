using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Blocks;

/// <summary>One page of a <see cref="PagedMap"/> in memory. Not thread safe; the map's lock covers it.</summary>
internal sealed class MapPage
{
    private readonly Hash256[] _hashes = new Hash256[PagedMap.PageBlocks];

    /// <summary>A page of unknown hashes.</summary>
    /// <param name="count">How many blocks it has; the last page of an image may have fewer than 256.</param>
    public MapPage(int count) => Count = count;

    public int Count { get; private set; }

    /// <summary>Whether it differs from what is stored.</summary>
    public bool Dirty { get; set; }

    public Hash256 this[int index]
    {
        get => _hashes[index];
        set => _hashes[index] = value;
    }

    /// <summary>Makes it a page of unknown hashes again, for another place: pages are 8 KiB each, and a pass over a large map would leave gigabytes of them to the garbage collector.</summary>
    public void Reuse(int count)
    {
        Array.Clear(_hashes);
        Count = count;
        Dirty = false;
    }

    /// <summary>The level-1 node over the page's hashes.</summary>
    public Hash256 Node()
    {
        Span<byte> children = stackalloc byte[PagedMap.PageBlocks * Hash256.Size];
        WriteTo(children);
        return MapNode.Hash(children[..(Count * Hash256.Size)]);
    }

    public void WriteTo(Span<byte> bytes)
    {
        for (int i = 0; i < Count; i++)
        {
            _hashes[i].CopyTo(bytes[(i * Hash256.Size)..]);
        }
    }

    public void ReadFrom(ReadOnlySpan<byte> bytes)
    {
        for (int i = 0; i < Count; i++)
        {
            _hashes[i] = new Hash256(bytes[(i * Hash256.Size)..]);
        }
    }
}
