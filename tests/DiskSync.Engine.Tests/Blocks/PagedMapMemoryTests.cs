using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire;

namespace DiskSync.Engine.Tests.Blocks;

/// <summary>Measures the whole process, so nothing runs beside it.</summary>
[Collection(AloneTests.Name)]
public class PagedMapMemoryTests
{
    [Fact]
    public void Memory_is_bounded_whatever_the_size()
    {
        // 1 TiB of 64 KiB blocks, 10,000 of them with content: 10,000 pages of 8 KiB would be 80 MiB.
        BlockGeometry geometry = new(1L << 40, 64 << 10);
        using PagedMap map = PagedMap.CreateTemporary(geometry, defaultIsZero: true);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (int i = 0; i < 10_000; i++)
        {
            map.Set(i * (geometry.BlockCount / 10_000), MapSamples.Hash(i));
        }

        Hash256 root = map.Root();
        long after = GC.GetTotalMemory(forceFullCollection: true);
        Assert.True(after - before < 16L << 20, $"{after - before} bytes");
        RootHasher hasher = new(geometry);
        foreach (var run in map.GetRuns(0, geometry.BlockCount))
        {
            hasher.AppendRun(run.Count, run.Hash);
        }

        Assert.Equal(hasher.Finish(), root);
    }

    [Fact]
    public void What_was_never_stored_costs_next_to_nothing_even_of_the_largest_image_that_a_session_takes()
    {
        BlockGeometry geometry = new(WireLimits.MaxImageBlocks * 4096, 4096);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        using PagedMap map = PagedMap.CreateTemporary(geometry, defaultIsZero: true);
        Assert.Equal(geometry.BlockCount, map.KnownCount);
        RootHasher hasher = new(geometry);
        hasher.AppendRun(geometry.BlockCount, ZeroBlock.HashOf(4096));
        Assert.Equal(hasher.Finish(), map.Root());
        long after = GC.GetTotalMemory(forceFullCollection: true);
        Assert.True(after - before < 1 << 20, $"{after - before} bytes");

        // A block in the middle of a hole that was looked at before is found again, and counts in the root.
        long block = geometry.BlockCount / 2;
        map.Set(block, MapSamples.Hash(1));
        map.Flush();
        hasher = new RootHasher(geometry);
        hasher.AppendRun(block, ZeroBlock.HashOf(4096));
        hasher.AppendRun(1, MapSamples.Hash(1));
        hasher.AppendRun(geometry.BlockCount - block - 1, ZeroBlock.HashOf(4096));
        Assert.Equal(hasher.Finish(), map.Root());
        Assert.Equal([block, 1, geometry.BlockCount - block - 1], map.GetRuns(0, geometry.BlockCount).Select(r => (long)r.Count));
    }
}
