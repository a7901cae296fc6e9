using DiskSync.Engine.Dirty;
using DiskSync.Engine.Tracking;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Tests.Tracking;

/// <summary>The map of what was written, by one thread and by many.</summary>
public sealed class DirtyMapTests
{
    private const int Part = DirtyMap.Precision;

    [Fact]
    public void What_a_write_touches_is_dirty_and_nothing_else()
    {
        DirtyMap map = new((10 * DirtyMap.ChunkBytes) + 100);
        map.Mark(Part - 1, 2);
        map.Mark(5 * DirtyMap.ChunkBytes - Part, 2 * Part);
        map.Mark((10 * DirtyMap.ChunkBytes) + 99, 1);
        map.Mark(77, 0);
        Assert.Equal(5 * Part, map.DirtyBytes);
        Assert.Equal(
            [(0L, 2L * Part), (5 * DirtyMap.ChunkBytes - Part, 2L * Part), (10 * DirtyMap.ChunkBytes, 100L)],
            Dirty(map));
        Assert.Throws<ArgumentOutOfRangeException>(() => map.Mark(map.Length, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => map.Mark(-1, 1));
    }

    [Fact]
    public void What_was_taken_is_clean_and_can_be_given_back()
    {
        DirtyMap map = new(3 * DirtyMap.ChunkBytes);
        map.Mark(DirtyMap.ChunkBytes, 3 * Part);
        DirtyChunk[] taken = [.. map.Take()];
        Assert.Equal(1, Assert.Single(taken).Index);
        Assert.Empty(map.Take());
        Assert.Equal(0, map.DirtyBytes);
        map.Mark(DirtyMap.ChunkBytes + (64 * Part), 1);
        map.Add(taken[0]);
        Assert.Equal(4 * Part, map.DirtyBytes);
        Assert.Equal([1], map.Take().Select(c => c.Index));
    }

    [Fact]
    public void All_of_an_image_can_be_marked()
    {
        DirtyMap map = new(DirtyMap.ChunkBytes + 1);
        map.MarkAll();
        BlockGeometry geometry = new(map.Length, 65536);
        DirtyBitmap bitmap = new(geometry.BlockCount);
        long parts = map.Take().Sum(c => DirtyMap.MarkInto(c, bitmap, geometry));
        Assert.Equal(DirtyMap.ChunkBits + 1, parts);
        Assert.Equal(geometry.BlockCount, bitmap.Count);
    }

    [Theory]
    [InlineData(4096)]
    [InlineData(65536)]
    [InlineData(4 << 20)]
    public void Every_block_that_a_part_touches_is_marked(int granularity)
    {
        Random random = new(granularity);
        BlockGeometry geometry = new((2 * DirtyMap.ChunkBytes) + 12345, granularity);
        DirtyMap map = new(geometry.Length);
        DirtyBitmap expected = new(geometry.BlockCount);
        for (int i = 0; i < 500; i++)
        {
            long offset = random.NextInt64(geometry.Length);
            long length = Math.Min(random.Next(1, 300_000), geometry.Length - offset);
            map.Mark(offset, length);
            long from = offset / Part * Part / granularity;
            long to = (Math.Min((offset + length + Part - 1) / Part * Part, geometry.Length) - 1) / granularity;
            expected.Mark(from, to - from + 1);
        }

        DirtyBitmap actual = new(geometry.BlockCount);
        foreach (DirtyChunk chunk in map.Take())
        {
            DirtyMap.MarkInto(chunk, actual, geometry);
        }

        for (long b = 0; b < geometry.BlockCount; b++)
        {
            Assert.Equal(expected.IsDirty(b), actual.IsDirty(b));
        }
    }

    [Fact]
    public void A_chunk_of_another_image_is_refused()
    {
        DirtyMap map = new(DirtyMap.ChunkBytes);
        Assert.Throws<ArgumentException>(() => map.Add(new DirtyChunk(1, new ulong[DirtyMap.ChunkWords])));
        Assert.Throws<ArgumentException>(() => map.Add(new DirtyChunk(0, new ulong[3])));
        BlockGeometry geometry = new(100, 4096);
        Assert.Throws<ArgumentException>(() => DirtyMap.MarkInto(
            new DirtyChunk(0, [.. Enumerable.Repeat(2UL, DirtyMap.ChunkWords)]), new DirtyBitmap(1), geometry));
    }

    [Fact]
    public async Task No_write_of_many_threads_is_lost_while_somebody_takes()
    {
        // Each writer raises a counter of a part and then marks it; the taker takes and then reads: at the end it has read the last value of each.
        const int Parts = 512;
        const int Writers = 4;
        int[] content = new int[Parts];
        int[] seen = new int[Parts];
        DirtyMap map = new(Parts * (long)Part);
        Task[] writers = [.. Enumerable.Range(0, Writers).Select(w => Task.Run(() =>
        {
            Random random = new(w);
            for (int i = 0; i < 200_000; i++)
            {
                int part = random.Next(Parts);
                Interlocked.Increment(ref content[part]);
                map.Mark(part * (long)Part, Part);
            }
        }))];
        Task all = Task.WhenAll(writers);
        bool last;
        do
        {
            last = all.IsCompleted;
            foreach (DirtyChunk chunk in map.Take().ToArray())
            {
                foreach ((int first, int count) in Runs(chunk.Words))
                {
                    for (int i = first; i < first + count; i++)
                    {
                        seen[i] = Volatile.Read(ref content[i]);
                    }
                }
            }
        }
        while (!last);
        await all;
        Assert.Equal(content, seen);
    }

    private static IEnumerable<(int First, int Count)> Runs(ulong[] words)
    {
        for (int i = 0; i < DirtyMap.ChunkBits; i++)
        {
            if ((words[i / 64] >> (i % 64) & 1) != 0)
            {
                yield return (i, 1);
            }
        }
    }

    private static List<(long Offset, long Length)> Dirty(DirtyMap map)
    {
        List<(long, long)> dirty = [];
        long at = 0;
        foreach (DirtyExtent extent in map.Extents(0, map.Length))
        {
            if (extent.IsDirty)
            {
                dirty.Add((at, extent.Length));
            }

            at += extent.Length;
        }

        Assert.Equal(map.Length, at);
        return dirty;
    }
}
