using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Dirty;
using DiskSync.Formats;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.SavedMap;

namespace DiskSync.Engine.SavedMaps;

/// <summary>A saved map whose record fits the source: what the source holds, unless it lies.</summary>
/// <remarks>Not thread safe. Dispose closes its file.</remarks>
public sealed class SavedMap : IDisposable
{
    private readonly SavedMapFile _file;

    internal SavedMap(SavedMapRecord record, SavedMapFile file)
    {
        Record = record;
        _file = file;
    }

    /// <summary>What it is of.</summary>
    public SavedMapRecord Record { get; }

    /// <summary>When it was saved.</summary>
    public DateTimeOffset SavedAt => DateTimeOffset.FromUnixTimeMilliseconds(Record.SavedAtMs);

    /// <summary>A block's hash.</summary>
    /// <exception cref="FormatViolationException">The map is damaged.</exception>
    public Hash256 HashOf(long block) => _file.Get(block);

    /// <summary>Marks the blocks that differ from what the destination holds; pages that are equal are not looked into.</summary>
    /// <param name="held">What the destination holds.</param>
    /// <param name="bitmap">Where they are marked.</param>
    /// <exception cref="FormatViolationException">The map is damaged; what was marked until then is not all.</exception>
    public void MarkDifferences(PagedMap held, DirtyBitmap bitmap)
    {
        ArgumentNullException.ThrowIfNull(held);
        ArgumentNullException.ThrowIfNull(bitmap);
        if (held.Root() == Record.Root)
        {
            return;
        }

        byte[] mine = new byte[SavedMapLayout.GroupBytes];
        byte[] theirs = new byte[SavedMapLayout.GroupBytes];
        for (long page = 0; page < _file.Layout.GroupsAt(0); page++)
        {
            if (held.NodeOf(page) != _file.NodeOf(page))
            {
                _file.ReadPage(page, mine);
                MarkPage(page, mine, theirs, held, bitmap);
            }
        }
    }

    /// <summary>Copies the map into one that takes questions in any order.</summary>
    /// <returns>The copy, owned by the caller; null where the map is damaged.</returns>
    public PagedMap? TryLoad()
    {
        PagedMap map = PagedMap.CreateTemporary(Record.Geometry, defaultIsZero: true);
        try
        {
            byte[] hashes = new byte[SavedMapLayout.GroupBytes];
            for (long page = 0; page < _file.Layout.GroupsAt(0); page++)
            {
                _file.ReadPage(page, hashes);
                for (int first = 0, end; first < _file.Layout.CountOf(0, page); first = end)
                {
                    Hash256 hash = HashAt(first);
                    end = first + 1;
                    while (end < _file.Layout.CountOf(0, page) && HashAt(end) == hash)
                    {
                        end++;
                    }

                    map.SetRun((page * MapNode.Fanout) + first, end - first, hash);
                }
            }

            return map;

            Hash256 HashAt(int index) => new(hashes.AsSpan(index * Hash256.Size));
        }
        catch (FormatViolationException)
        {
            map.Dispose();
            return null;
        }
        catch
        {
            map.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private void MarkPage(long page, ReadOnlySpan<byte> mine, Span<byte> theirs, PagedMap held, DirtyBitmap bitmap)
    {
        long first = page * MapNode.Fanout;
        if (!held.TryCopyPage(page, theirs))
        {
            for (int i = 0; i < _file.Layout.CountOf(0, page); i++)
            {
                held.Get(first + i).CopyTo(theirs[(i * Hash256.Size)..]);
            }
        }

        for (int i = 0; i < _file.Layout.CountOf(0, page); i++)
        {
            Range hash = (i * Hash256.Size)..((i + 1) * Hash256.Size);
            if (!mine[hash].SequenceEqual(theirs[hash]))
            {
                bitmap.Mark(first + i, 1);
            }
        }
    }
}
