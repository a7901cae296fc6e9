using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Dirty;
using DiskSync.Engine.SavedMaps;
using DiskSync.Formats;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.SavedMap;
using DiskSync.TestSupport;
using DiskSync.TestSupport.Fuzz;

namespace DiskSync.Engine.Tests.SavedMaps;

public sealed class SavedMapFileTests : IDisposable
{
    private static readonly SourceIdentity Identity = FuzzSavedMap.OfFile.Identity;
    private readonly TempFolder _folder = new();
    private readonly SavedMapStore _store;

    public SavedMapFileTests()
    {
        _store = new SavedMapStore(_folder.File("state"));
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(70_000)]
    public void A_map_comes_back_as_it_was_saved(int blocks)
    {
        BlockGeometry geometry = new(((long)blocks * 4096) - 100, 4096);
        using PagedMap map = Sample(geometry, blocks);
        Assert.Empty(_store.Save(Path.Join(_folder.Path, "a.img"), map, map.Root(), Identity));
        using SavedMap saved = Open(geometry);
        for (long block = 0; block < geometry.BlockCount; block += 1 + (blocks / 500))
        {
            Assert.Equal(map.Get(block), saved.HashOf(block));
        }

        using PagedMap? loaded = saved.TryLoad();
        Assert.Equal(map.Root(), loaded!.Root());
    }

    [Fact]
    public void Differences_are_those_that_a_comparison_of_every_block_finds()
    {
        BlockGeometry geometry = new(70_000L * 4096, 4096);
        using PagedMap map = Sample(geometry, 1);
        _store.Save(Path.Join(_folder.Path, "a.img"), map, map.Root(), Identity);
        using SavedMap saved = Open(geometry);
        using PagedMap other = Sample(geometry, 1);
        DirtyBitmap none = new(geometry.BlockCount);
        saved.MarkDifferences(other, none);
        Assert.Equal(0, none.Count);

        Random random = new(5);
        SortedSet<long> changed = [0, geometry.BlockCount - 1];
        for (int i = 0; i < 300; i++)
        {
            changed.Add(random.NextInt64(geometry.BlockCount));
        }

        foreach (long block in changed)
        {
            other.Set(block, Hash256.Unknown);
        }

        DirtyBitmap dirty = new(geometry.BlockCount);
        saved.MarkDifferences(other, dirty);
        Assert.Equal(changed.Count, dirty.Count);
        Assert.All(changed, block => Assert.Equal(block, dirty.NextDirty(block, geometry.BlockCount)));
    }

    [Fact]
    public void No_byte_of_a_map_can_be_changed_so_that_another_hash_is_read()
    {
        BlockGeometry geometry = new(1000L * 4096, 4096);
        using PagedMap map = Sample(geometry, 3);
        string image = Path.Join(_folder.Path, "a.img");
        _store.Save(image, map, map.Root(), Identity);
        string path = Path.Join(Assert.Single(_store.List()).Folder, "map");
        byte[] stored = File.ReadAllBytes(path);
        int noticed = 0;
        for (int at = 0; at < stored.Length; at += 11)
        {
            stored[at] ^= 0x40;
            File.WriteAllBytes(path, stored);
            stored[at] ^= 0x40;
            using SavedMap damaged = Open(geometry);
            bool seen = false;
            for (long block = 0; block < geometry.BlockCount; block += 256)
            {
                try
                {
                    Assert.Equal(map.Get(block), damaged.HashOf(block));
                    Assert.Equal(map.Get(block + 200), damaged.HashOf(block + 200));
                }
                catch (FormatViolationException)
                {
                    seen = true;
                }
            }

            noticed += seen ? 1 : 0;
        }

        Assert.True(noticed > stored.Length / 11 / 2, $"{noticed} of {stored.Length / 11}");
    }

    [Fact]
    public void The_oldest_maps_go_when_there_are_too_many()
    {
        BlockGeometry geometry = new(4096, 4096);
        using PagedMap map = Sample(geometry, 1);
        for (int i = 0; i < SavedMapStore.MaxMaps + 5; i++)
        {
            Assert.Empty(_store.Save(Path.Join(_folder.Path, $"{i}.img"), map, map.Root(), Identity));
            Thread.Sleep(2);
        }

        string[] kept = [.. _store.List().Select(e => Path.GetFileName(e.Record!.Source))];
        Assert.Equal(Enumerable.Range(5, SavedMapStore.MaxMaps).Select(i => $"{i}.img"), kept);
    }

    [Fact]
    public void A_state_folder_that_cannot_be_made_costs_the_map_and_nothing_else()
    {
        BlockGeometry geometry = new(4096, 4096);
        using PagedMap map = Sample(geometry, 1);
        SavedMapStore store = new("/proc/nowhere");
        Assert.NotEmpty(store.Save(Path.Join(_folder.Path, "a.img"), map, map.Root(), Identity));
        Assert.Null(store.Open(Path.Join(_folder.Path, "a.img"), geometry, Identity, out string why));
        Assert.Equal("no map of it is saved", why);
        Assert.Empty(store.List());
    }

    [Fact]
    public void A_map_that_is_not_what_was_proven_is_not_saved()
    {
        BlockGeometry geometry = new(4096, 4096);
        using PagedMap map = Sample(geometry, 1);
        Assert.NotEmpty(_store.Save(Path.Join(_folder.Path, "a.img"), map, WireSamples.HashOf(9), Identity));
        Assert.Null(_store.Open(Path.Join(_folder.Path, "a.img"), geometry, Identity, out _));
        Assert.Empty(Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories));
    }

    private SavedMap Open(BlockGeometry geometry)
    {
        SavedMap? saved = _store.Open(Path.Join(_folder.Path, "a.img"), geometry, Identity, out string why);
        Assert.True(saved is not null, why);
        return saved;
    }

    /// <summary>A map with stretches of zeros and of data, some of whole pages.</summary>
    private static PagedMap Sample(BlockGeometry geometry, int seed)
    {
        Random random = new(seed);
        PagedMap map = PagedMap.CreateTemporary(geometry, defaultIsZero: true);
        byte[] bytes = new byte[Hash256.Size];
        for (long block = 0; block < geometry.BlockCount;)
        {
            long run = Math.Min(geometry.BlockCount - block, random.Next(1, 900));
            if (random.Next(2) == 0)
            {
                for (long i = 0; i < run; i++)
                {
                    random.NextBytes(bytes);
                    map.Set(block + i, new Hash256(bytes));
                }
            }

            block += run;
        }

        return map;
    }
}
