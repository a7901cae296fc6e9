using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Journal;
using DiskSync.Formats.BlockMap;
using DiskSync.TestSupport;
using DiskSync.TestSupport.PowerCuts;

namespace DiskSync.Engine.Tests.Blocks;

public class PagedMapTests
{
    public static TheoryData<long, bool> Sizes
    {
        get
        {
            TheoryData<long, bool> sizes = [];
            foreach (long blocks in (long[])[0, 1, 2, 255, 256, 257, 511, 512, 513, 65535, 65536, 65537, 70000])
            {
                sizes.Add(blocks, false);
                sizes.Add(blocks, true);
            }

            return sizes;
        }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void The_root_agrees_with_the_streaming_one_for_random_content(long blocks, bool shortLast)
    {
        Random random = new((int)blocks);
        BlockGeometry geometry = MapSamples.Geometry(blocks, shortLast);
        using PagedMap map = new(geometry, new InMemoryStateFile(), defaultIsZero: true);
        Hash256[] model = Fill(random, geometry, map);
        Assert.Equal(MapSamples.ReferenceRoot(geometry, model), map.Root());

        // And again after some blocks have changed: only their nodes are computed anew.
        for (int i = 0; i < 20 && blocks > 0; i++)
        {
            long block = random.NextInt64(blocks);
            model[block] = MapSamples.Hash(random.Next());
            map.Set(block, model[block]);
        }

        Assert.Equal(MapSamples.ReferenceRoot(geometry, model), map.Root());
        Assert.Equal(model, MapSamples.All(map));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_map_that_nobody_has_filled_has_its_default_everywhere(bool zero)
    {
        BlockGeometry geometry = MapSamples.Geometry(70_000, shortLast: true);
        using PagedMap map = new(geometry, new InMemoryStateFile(), zero);
        Hash256 whole = zero ? ZeroBlock.HashOf(MapSamples.Granularity) : Hash256.Unknown;
        Hash256 last = zero ? ZeroBlock.HashOf(geometry.LengthOf(69_999)) : Hash256.Unknown;
        RootHasher hasher = new(geometry);
        hasher.AppendRun(69_999, whole);
        hasher.Append(last);
        Assert.Equal(hasher.Finish(), map.Root());
        Assert.Equal(zero ? 70_000 : 0, map.KnownCount);
        Assert.Equal(zero ? 2 : 1, map.GetRuns(0, 70_000).Count());
    }

    [Fact]
    public void A_map_opened_again_from_its_file_is_the_same()
    {
        using TempFolder folder = new();
        string path = folder.File("map");
        BlockGeometry geometry = MapSamples.Geometry(3000, shortLast: true);
        Hash256[] model;
        Hash256 root;
        using (PagedMap map = new(geometry, OpenFile(path), defaultIsZero: true))
        {
            model = Fill(new Random(5), geometry, map);
            root = map.Root();
            map.Flush();
        }

        using PagedMap again = new(geometry, OpenFile(path), defaultIsZero: true);
        Assert.Equal(root, again.Root());
        Assert.Equal(model, MapSamples.All(again));
        Assert.Equal(0, again.DamagedPages);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(8191)]
    [InlineData(8192)]
    [InlineData(8223)]
    public void A_damaged_page_reads_as_unknown_and_is_counted(int at)
    {
        InMemoryStateFile file = new();
        BlockGeometry geometry = MapSamples.Geometry(256 * 4, shortLast: false);
        PagedMap map = new(geometry, file, defaultIsZero: true);
        map.SetRun(0, 256 * 4, MapSamples.Hash(7));
        map.Flush();
        long offset = 8224 + at;
        byte[] one = new byte[1];
        file.Read(offset, one);
        one[0] ^= 0x10;
        file.Write(offset, one);

        using PagedMap again = new(geometry, file, defaultIsZero: true);
        Assert.Equal(MapSamples.Hash(7), again.Get(255));
        Assert.Equal(Hash256.Unknown, again.Get(256));
        Assert.Equal(Hash256.Unknown, again.Get(511));
        Assert.Equal(MapSamples.Hash(7), again.Get(512));
        Assert.Equal(1, again.DamagedPages);
        Assert.Equal(256 * 3, again.KnownCount);
    }

    [Fact]
    public void A_page_stored_in_the_place_of_another_is_damaged()
    {
        InMemoryStateFile file = new();
        BlockGeometry geometry = MapSamples.Geometry(256 * 2, shortLast: false);
        PagedMap map = new(geometry, file, defaultIsZero: false);
        map.SetRun(0, 256, MapSamples.Hash(1));
        map.Flush();
        byte[] page = new byte[8224];
        file.Read(0, page);
        file.Write(8224, page);
        using PagedMap again = new(geometry, file, defaultIsZero: false);
        Assert.Equal(Hash256.Unknown, again.Get(256));
        Assert.Equal(1, again.DamagedPages);
    }

    [Fact]
    public void A_map_cut_off_anywhere_never_invents_a_hash()
    {
        BlockGeometry geometry = MapSamples.Geometry(256 * 3, shortLast: false);
        for (int length = 0; length < 3 * 8224; length += 97)
        {
            InMemoryStateFile file = new();
            PagedMap map = new(geometry, file, defaultIsZero: false);
            map.SetRun(0, 256 * 3, MapSamples.Hash(9));
            map.Flush();
            file.SetLength(length);
            using PagedMap again = new(geometry, file, defaultIsZero: false);
            Assert.Equal(length / 8224 * 256, again.KnownCount);
        }
    }

    [Fact]
    public void Pages_that_are_all_unknown_stay_so_where_the_default_is_zeros()
    {
        InMemoryStateFile file = new();
        BlockGeometry geometry = MapSamples.Geometry(1000, shortLast: false);
        PagedMap map = new(geometry, file, defaultIsZero: true);
        map.Forget(1, 2);
        map.Flush();
        using PagedMap again = new(geometry, file, defaultIsZero: true);
        Assert.Equal(1000 - 512, again.KnownCount);
        Assert.Equal(Hash256.Unknown, again.Get(256));
        Assert.False(again.Get(768).IsUnknown);
    }

    [Fact]
    public void A_page_that_could_not_be_written_when_it_was_evicted_is_not_forgotten()
    {
        SimulatedMedium medium = new(1);
        BlockGeometry geometry = MapSamples.Geometry(256 * 2000, shortLast: false);
        using PagedMap map = new(geometry, medium.CreateStateFile("map").Open(), defaultIsZero: false);
        for (int page = 0; page < 1024; page++)
        {
            map.Set(page * 256, MapSamples.Hash(page));
        }

        medium.FailAfter(0);
        Assert.Throws<DiskSyncException>(() => map.Set(1024 * 256, MapSamples.Hash(1024)));
        Assert.Equal(MapSamples.Hash(0), map.Get(0));
        map.Flush();
        Assert.Equal(1024, map.KnownCount);
    }

    [Fact]
    public void Blocks_outside_the_image_are_refused()
    {
        using PagedMap map = new(MapSamples.Geometry(10, shortLast: false), new InMemoryStateFile(), defaultIsZero: true);
        Assert.Throws<ArgumentOutOfRangeException>(() => map.Get(10));
        Assert.Throws<ArgumentOutOfRangeException>(() => map.Set(-1, default));
        Assert.Throws<ArgumentOutOfRangeException>(() => map.SetRun(5, 6, default));
        Assert.Throws<ArgumentOutOfRangeException>(() => map.GetRuns(0, 11).Count());
    }

    private static DiskStateFile OpenFile(string path) =>
        new(Linux.LinuxFile.Open(path, Linux.LinuxOpen.ReadWrite | Linux.LinuxOpen.Create), null);

    private static Hash256[] Fill(Random random, BlockGeometry geometry, PagedMap map)
    {
        var model = new Hash256[geometry.BlockCount];
        for (long block = 0; block < model.Length; block++)
        {
            model[block] = ZeroBlock.HashOf(geometry.LengthOf(block));
        }

        for (int i = 0; i < 200 && model.Length > 0; i++)
        {
            long first = random.NextInt64(model.Length);
            long count = Math.Min(model.Length - first, random.Next(4) == 0 ? random.Next(2000) : random.Next(1, 4));
            Hash256 hash = random.Next(5) == 0 ? Hash256.Unknown : MapSamples.Hash(random.Next());
            map.SetRun(first, count, hash);
            Array.Fill(model, hash, (int)first, (int)count);
        }

        return model;
    }
}
