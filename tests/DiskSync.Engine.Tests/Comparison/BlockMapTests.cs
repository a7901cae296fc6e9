using DiskSync.Engine.Comparison;
using DiskSync.Formats.BlockMap;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.Comparison;

public sealed class BlockMapTests
{
    [Fact]
    public void Comparing_with_a_map_finds_the_blocks_that_comparing_the_images_finds()
    {
        using var folder = new TempFolder();
        for (int seed = 0; seed < 120; seed++)
        {
            var random = new Random(seed);
            int granularity = 4096 << random.Next(0, 5);
            int length = random.Next(0, 2 << 20);
            MemoryImage old = MemoryImage.Random(random, length, random.NextDouble());
            MemoryImage now = old.Changed(random, random.Next(3) == 0 ? random.Next(0, 2 << 20) : length);
            var options = new ComparisonOptions { Granularity = granularity, Workers = random.Next(1, 4) };
            string path = WriteMap(folder, old, options);

            using BlockMapFile map = BlockMapFile.Open(path);
            ComparisonResult byMap = MapComparer.Compare(map, now, options, CancellationToken.None);
            ComparisonResult direct = ImageComparer.Compare(old, now, options, CancellationToken.None);

            Assert.Equal(
                (direct.Same, direct.ChangedBlocks, direct.ZeroedBlocks, direct.ChangedBytes, direct.ChangedExtents),
                (byMap.Same, byMap.ChangedBlocks, byMap.ZeroedBlocks, byMap.ChangedBytes, byMap.ChangedExtents));
            Assert.Equal(
                direct.FirstDifference < 0 ? -1 : direct.FirstDifference / granularity,
                byMap.FirstDifference < 0 ? -1 : byMap.FirstDifference / granularity);
        }
    }

    [Fact]
    public void The_root_is_that_of_the_block_hashes_whatever_was_a_hole()
    {
        var random = new Random(3);
        MemoryImage image = MemoryImage.Random(random, 777_777, 0.5);
        var dense = new MemoryImage(image.Content);
        var options = new ComparisonOptions { Granularity = 4096 };
        var expected = new RootHasher(new BlockGeometry(image.Length, 4096));
        for (int at = 0; at < image.Content.Length; at += 4096)
        {
            expected.Append(Codecs.Blake3.Hash(image.Content.AsSpan(at, Math.Min(4096, image.Content.Length - at))));
        }

        Codecs.Hash256 root = expected.Finish();

        Assert.Equal(root, BlockMapBuilder.Build(image, null, options, CancellationToken.None).Root);
        Assert.Equal(root, BlockMapBuilder.Build(dense, null, options, CancellationToken.None).Root);
    }

    [Fact]
    public void A_map_that_is_cut_or_has_a_bit_flipped_is_refused_wherever_that_is()
    {
        using var folder = new TempFolder();
        MemoryImage image = MemoryImage.Random(new Random(9), 300_000, 0.7);
        string path = WriteMap(folder, image, new ComparisonOptions { Granularity = 16384 });
        byte[] whole = File.ReadAllBytes(path);
        for (int i = 0; i < whole.Length; i++)
        {
            byte[] flipped = (byte[])whole.Clone();
            flipped[i] ^= (byte)(1 << (i % 8));
            foreach (byte[] bad in new[] { whole[..i], flipped })
            {
                string file = folder.Write("bad.map", bad);

                var failure = Assert.Throws<DiskSyncException>(() =>
                {
                    using BlockMapFile map = BlockMapFile.Open(file);
                    MapComparer.Compare(map, image, new ComparisonOptions(), CancellationToken.None);
                });

                Assert.Equal(FailureKind.Source, failure.Kind);
                Assert.Contains("bad.map", failure.Message, StringComparison.Ordinal);
            }
        }
    }

    private static string WriteMap(TempFolder folder, MemoryImage image, ComparisonOptions options)
    {
        string path = folder.File("base.map");
        using AtomicFileStream file = AtomicFileStream.Create(path);
        BlockMapBuilder.Build(image, file, options, CancellationToken.None);
        file.Commit();
        return path;
    }
}
