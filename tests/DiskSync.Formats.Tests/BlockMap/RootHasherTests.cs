using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;
using DiskSync.TestSupport.Fuzz;
using FsCheck.Xunit;

namespace DiskSync.Formats.Tests.BlockMap;

public sealed class RootHasherTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(511)]
    [InlineData(65535)]
    [InlineData(65536)]
    [InlineData(65537)]
    [InlineData(65536 + 256)]
    [InlineData(140000)]
    public void The_root_is_what_the_format_says(int blocks)
    {
        BlockGeometry geometry = Geometry(blocks);
        Hash256[] hashes = [.. Enumerable.Range(0, blocks).Select(i => WireSamples.HashOf((byte)(i % 251)))];
        var hasher = new RootHasher(geometry);
        foreach (Hash256 hash in hashes)
        {
            hasher.Append(hash);
        }

        Assert.Equal(NaiveRoot.Of(geometry, hashes), hasher.Finish());
    }

    [Property(MaxTest = 30)]
    public void Runs_give_the_same_root_as_single_blocks(int seed)
    {
        var random = new Random(seed);
        var hashes = new List<Hash256>();
        var runs = new List<MapRun>();
        for (int i = random.Next(12); i >= 0; i--)
        {
            Hash256 hash = random.Next(3) == 0 ? Hash256.Unknown : WireSamples.HashOf((byte)random.Next(3));
            int count = random.Next(4) switch { 0 => 256 * random.Next(40), 1 => random.Next(10000), _ => random.Next(600) };
            runs.Add(new MapRun(count, hash));
            hashes.AddRange(Enumerable.Repeat(hash, count));
        }

        BlockGeometry geometry = Geometry(hashes.Count);
        var hasher = new RootHasher(geometry);
        runs.ForEach(run => hasher.AppendRun(run.Count, run.Hash));
        Assert.Equal(NaiveRoot.Of(geometry, hashes), hasher.Finish());
    }

    [Fact]
    public void The_longest_image_of_zeros_takes_a_few_hashes()
    {
        var geometry = new BlockGeometry(BlockGeometry.MaxLength, BlockGeometry.MinGranularity);
        Assert.Equal((long)Formats.Wire.WireLimits.MaxBlocks, geometry.BlockCount);
        Assert.Equal(MapNode.MaxLevel, MapNode.TopLevel(geometry.BlockCount));
        var hasher = new RootHasher(geometry);
        hasher.AppendRun(geometry.BlockCount, ZeroBlock.HashOf(4096));
        Hash256 node = ZeroBlock.HashOf(4096);
        for (int level = 1; level <= MapNode.MaxLevel; level++)
        {
            node = MapNode.Uniform(node, 256);
        }

        Assert.Equal(MapNode.Root(geometry, node), hasher.Finish());
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(256, 1)]
    [InlineData(257, 2)]
    [InlineData(65536, 2)]
    [InlineData(65537, 3)]
    public void The_tree_has_as_many_levels_as_it_needs(long blocks, int top)
    {
        Assert.Equal(top, MapNode.TopLevel(blocks));
        Assert.Equal(1, MapNode.CountAt(blocks, top));
        Assert.Equal(blocks, MapNode.CountAt(blocks, 0));
    }

    [Fact]
    public void Length_granularity_and_every_block_are_bound_by_the_root()
    {
        Hash256 a = WireSamples.HashOf(1);
        Hash256[] roots =
        [
            Root(new BlockGeometry(8192, 4096), a, a),
            Root(new BlockGeometry(8191, 4096), a, a),
            Root(new BlockGeometry(8192 * 2, 8192), a, a),
            Root(new BlockGeometry(8192, 4096), a, WireSamples.HashOf(2)),
            Root(new BlockGeometry(8192, 4096), a, Hash256.Unknown),
            Root(new BlockGeometry(4096, 4096), a),
        ];
        Assert.Equal(roots.Length, roots.Distinct().Count());
    }

    [Fact]
    public void Too_many_or_too_few_blocks_are_a_bug()
    {
        var hasher = new RootHasher(new BlockGeometry(8192, 4096));
        Assert.Throws<InvalidOperationException>(() => hasher.AppendRun(3, default));
        hasher.Append(default);
        Assert.Throws<InvalidOperationException>(() => hasher.Finish());
        hasher.Append(default);
        hasher.Finish();
        Assert.Throws<InvalidOperationException>(() => hasher.Finish());
    }

    [Fact]
    public void Zero_blocks_hash_as_zeros_do()
    {
        Assert.Equal(Blake3.Hash(new byte[65536]), ZeroBlock.HashOf(65536));
        Assert.Equal(Blake3.Hash(new byte[5000]), ZeroBlock.HashOf(5000));
    }

    private static BlockGeometry Geometry(long blocks) => new(blocks * 4096, 4096);

    private static Hash256 Root(BlockGeometry geometry, params Hash256[] hashes)
    {
        var hasher = new RootHasher(geometry);
        Array.ForEach(hashes, hash => hasher.Append(hash));
        return hasher.Finish();
    }
}
