using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Formats.BlockMap;

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
}
