using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.SavedMap;
using DiskSync.Linux;

namespace DiskSync.Engine.SavedMaps;

/// <summary>Writes the tree of a map level by level (Formats/SavedMap/FORMAT.md).</summary>
/// <remarks>Memory: a group for each level and one MiB of groups that wait to be written. Not thread safe.</remarks>
internal sealed class SavedMapWriter
{
    private const int BufferGroups = 128;

    private readonly SavedMapLayout _layout;
    private readonly LinuxFile _file;
    private readonly byte[] _buffer = new byte[BufferGroups * SavedMapLayout.GroupBytes];
    private readonly byte[][] _open;
    private readonly int[] _count;
    private readonly long[] _next;
    private long _bufferAt;
    private int _buffered;

    private SavedMapWriter(SavedMapLayout layout, LinuxFile file)
    {
        _layout = layout;
        _file = file;
        _open = [.. Enumerable.Range(0, layout.TopLevel + 1).Select(_ => new byte[SavedMapLayout.GroupBytes])];
        _count = new int[layout.TopLevel + 1];
        _next = new long[layout.TopLevel + 1];
    }

    /// <summary>Writes a map; not durable before the file is flushed.</summary>
    /// <param name="map">The map, all of it known; blocks of pages that it never stored are zeros.</param>
    /// <param name="file">An empty file.</param>
    /// <returns>The root over what was written.</returns>
    /// <exception cref="LinuxException">The file failed.</exception>
    public static Hash256 Write(PagedMap map, LinuxFile file)
    {
        SavedMapLayout layout = new(map.Geometry);
        file.SetLength(layout.Length);
        SavedMapWriter writer = new(layout, file);
        writer.WritePages(map);
        return MapNode.Root(map.Geometry, writer.Finish());
    }

    private void WritePages(PagedMap map)
    {
        byte[] page = new byte[SavedMapLayout.GroupBytes];
        Hash256? zeroNode = null;
        for (long number = 0; number < _layout.GroupsAt(0); number++)
        {
            int count = _layout.CountOf(0, number);
            Array.Clear(page);
            if (map.TryCopyPage(number, page))
            {
                WriteGroup(number, page);
                Add(1, MapNode.Hash(page.AsSpan(0, count * Hash256.Size)));
            }
            else if (number + 1 < _layout.GroupsAt(0))
            {
                zeroNode ??= SavedMapFile.ZeroNode(_layout, number);
                Add(1, zeroNode.Value);
            }
            else
            {
                Add(1, SavedMapFile.ZeroNode(_layout, number));
            }
        }
    }

    /// <summary>Adds a node to its level; a group that is full becomes a node of the level above.</summary>
    private void Add(int level, Hash256 node)
    {
        node.CopyTo(_open[level].AsSpan(_count[level] * Hash256.Size));
        _count[level]++;
        if (_count[level] == MapNode.Fanout && level < _layout.TopLevel)
        {
            Close(level);
        }
    }

    private void Close(int level)
    {
        Span<byte> group = _open[level];
        group[(_count[level] * Hash256.Size)..].Clear();
        _file.WriteAt(group, _layout.OffsetOf(level, _next[level]++));
        Hash256 node = MapNode.Hash(group[..(_count[level] * Hash256.Size)]);
        _count[level] = 0;
        Add(level + 1, node);
    }

    private Hash256 Finish()
    {
        Flush();
        for (int level = 1; level < _layout.TopLevel; level++)
        {
            if (_count[level] > 0)
            {
                Close(level);
            }
        }

        Span<byte> top = _open[_layout.TopLevel].AsSpan(0, Hash256.Size);
        _file.WriteAt(top, _layout.OffsetOf(_layout.TopLevel, 0));
        return new Hash256(top);
    }

    /// <summary>Neighbouring pages are written together; a page that is left out stays a hole.</summary>
    private void WriteGroup(long number, ReadOnlySpan<byte> page)
    {
        if (_buffered == BufferGroups || _bufferAt + _buffered != number)
        {
            Flush();
            _bufferAt = number;
        }

        page.CopyTo(_buffer.AsSpan(_buffered * SavedMapLayout.GroupBytes));
        _buffered++;
    }

    private void Flush()
    {
        if (_buffered > 0)
        {
            _file.WriteAt(_buffer.AsSpan(0, _buffered * SavedMapLayout.GroupBytes), _layout.OffsetOf(0, _bufferAt));
            _buffered = 0;
        }
    }
}
