using DiskSync.Engine.Comparison;
using DiskSync.Engine.Progress;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.Comparison;

/// <summary>Deltas made and applied: whatever the images are, and however often applying is cut off.</summary>
public sealed class DeltaTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_delta_of_random_images_turns_a_copy_of_the_base_into_the_image()
    {
        for (int seed = 0; seed < 60; seed++)
        {
            (MemoryImage old, MemoryImage now, ComparisonOptions options) = Pair(seed);
            foreach (bool byMap in new[] { false, true })
            {
                string delta = WriteDelta(old, now, options, byMap);
                string target = _folder.Write("target.img", old.Content);

                ApplyResult result = Apply(delta, target);

                Assert.True(now.Content.AsSpan().SequenceEqual(File.ReadAllBytes(target)), $"seed {seed}, map {byMap}");
                Assert.Equal(0, result.SkippedBlocks);
                Assert.False(File.Exists(target + ".applying"));
            }
        }
    }

    [Fact]
    public void Applying_twice_writes_nothing_the_second_time()
    {
        (MemoryImage old, MemoryImage now, ComparisonOptions options) = Pair(7);
        string delta = WriteDelta(old, now, options, byMap: false);
        string target = _folder.Write("target.img", old.Content);
        Apply(delta, target);
        DateTime written = File.GetLastWriteTimeUtc(target);

        ApplyResult again = Apply(delta, target);

        Assert.Equal(0, again.WrittenBlocks);
        Assert.Equal(written, File.GetLastWriteTimeUtc(target));
    }

    [Fact]
    public void A_run_that_was_cut_off_in_the_middle_of_a_write_is_finished_by_the_next()
    {
        for (int seed = 0; seed < 40; seed++)
        {
            (MemoryImage old, MemoryImage now, ComparisonOptions options) = Pair(seed);
            string delta = WriteDelta(old, now, options, byMap: seed % 2 == 1);
            string target = _folder.Write("target.img", old.Content);
            var random = new Random(seed);
            using (var cancel = new CancellationTokenSource())
            {
                var cut = new CutWhileWriting(cancel, random.Next(1, 5));
                try
                {
                    DeltaApplier.Apply(delta, target, new ComparisonOptions { Progress = cut }, null, cancel.Token);
                }
                catch (OperationCanceledException)
                {
                    Tear(target, old.Content, now.Content, options.Granularity, random);
                }
            }

            ApplyResult result = Apply(delta, target);

            Assert.True(now.Content.AsSpan().SequenceEqual(File.ReadAllBytes(target)), $"seed {seed}: {result}");
            Assert.False(File.Exists(target + ".applying"));
        }
    }

    [Fact]
    public void A_target_that_is_not_the_base_is_refused_and_not_touched()
    {
        (MemoryImage old, MemoryImage now, ComparisonOptions options) = Pair(11);
        string delta = WriteDelta(old, now, options, byMap: false);
        for (int at = 0; at < old.Content.Length; at += 7919)
        {
            byte[] wrong = (byte[])old.Content.Clone();
            wrong[at] ^= 0x40;
            string target = _folder.Write("target.img", wrong);

            var failure = Assert.Throws<DiskSyncException>(() => Apply(delta, target));

            Assert.Equal(FailureKind.Preflight, failure.Kind);
            Assert.Contains("is not the delta's base", failure.Message, StringComparison.Ordinal);
            Assert.True(wrong.AsSpan().SequenceEqual(File.ReadAllBytes(target)));
            Assert.False(File.Exists(target + ".applying"));
        }
    }

    [Fact]
    public void A_delta_that_is_cut_or_has_a_bit_flipped_is_refused_before_the_target_is_touched()
    {
        (MemoryImage old, MemoryImage now, ComparisonOptions options) = Pair(3);
        byte[] whole = File.ReadAllBytes(WriteDelta(old, now, options, byMap: false));
        string target = _folder.Write("target.img", old.Content);
        for (int i = 0; i < whole.Length; i += 1 + (whole.Length / 150))
        {
            byte[] flipped = (byte[])whole.Clone();
            flipped[i] ^= (byte)(1 << (i % 8));
            foreach (byte[] bad in new[] { whole[..i], flipped })
            {
                string file = _folder.Write("bad.delta", bad);

                var failure = Assert.Throws<DiskSyncException>(() => Apply(file, target));

                Assert.Equal(FailureKind.Preflight, failure.Kind);
                Assert.Contains("bad.delta", failure.Message, StringComparison.Ordinal);
            }
        }

        Assert.True(old.Content.AsSpan().SequenceEqual(File.ReadAllBytes(target)));
    }

    [Fact]
    public void A_seal_of_the_old_content_is_gone_before_the_first_write()
    {
        (MemoryImage old, MemoryImage now, ComparisonOptions options) = Pair(5);
        string delta = WriteDelta(old, now, options, byMap: false);
        string target = _folder.Write("target.img", old.Content);
        string seal = _folder.Write("target.img.seal", [1, 2, 3]);

        Apply(delta, target);

        Assert.False(File.Exists(seal));
    }

    [Fact]
    public void A_map_with_unknown_blocks_is_no_base_for_a_delta()
    {
        MemoryImage now = MemoryImage.Random(new Random(1), 200_000, 1);
        string map = _folder.File("base.map");
        using (FileStream stream = File.Create(map))
        {
            var geometry = new Formats.BlockMap.BlockGeometry(200_000, 65536);
            var writer = new Formats.BlockMap.BlockMapWriter(stream, geometry);
            writer.AppendRun(geometry.BlockCount, Codecs.Hash256.Unknown);
            writer.Finish();
        }

        using BlockMapFile baseMap = BlockMapFile.Open(map);
        using var output = new MemoryStream();
        var failure = Assert.Throws<DiskSyncException>(
            () => DeltaBuilder.Build(baseMap, now, output, new ComparisonOptions(), CancellationToken.None));

        Assert.Contains("some blocks have no hash", failure.Message, StringComparison.Ordinal);
    }

    /// <summary>As a kill in the middle of pwrite leaves it: the first part of a block new, the rest old.</summary>
    private static void Tear(string target, byte[] old, byte[] now, int granularity, Random random)
    {
        using FileStream stream = File.OpenWrite(target);
        for (int block = 0; block < Math.Min(old.Length, now.Length) / granularity; block++)
        {
            int at = block * granularity;
            if (random.Next(2) == 0 && !old.AsSpan(at, granularity).SequenceEqual(now.AsSpan(at, granularity)))
            {
                stream.Position = at;
                stream.Write(now, at, random.Next(granularity));
            }
        }
    }

    private static (MemoryImage Old, MemoryImage Now, ComparisonOptions Options) Pair(int seed)
    {
        var random = new Random(seed);
        int length = random.Next(1, 1 << 20);
        MemoryImage old = MemoryImage.Random(random, length, 0.2 + (random.NextDouble() * 0.8));
        MemoryImage now = old.Changed(random, random.Next(3) == 0 ? random.Next(0, 1 << 20) : length);
        return (old, now, new ComparisonOptions { Granularity = 4096 << random.Next(0, 5), Workers = 2 });
    }

    private static ApplyResult Apply(string delta, string target) =>
        DeltaApplier.Apply(delta, target, new ComparisonOptions(), null, CancellationToken.None);

    private string WriteDelta(MemoryImage old, MemoryImage now, ComparisonOptions options, bool byMap)
    {
        string path = _folder.File("test.delta");
        using AtomicFileStream file = AtomicFileStream.Create(path);
        if (byMap)
        {
            string map = _folder.File("base.map");
            using (AtomicFileStream mapFile = AtomicFileStream.Create(map))
            {
                BlockMapBuilder.Build(old, mapFile, options, CancellationToken.None);
                mapFile.Commit();
            }

            using BlockMapFile baseMap = BlockMapFile.Open(map);
            DeltaBuilder.Build(baseMap, now, file, options, CancellationToken.None);
        }
        else
        {
            DeltaBuilder.Build(old, now, file, options, CancellationToken.None);
        }

        file.Commit();
        return path;
    }

    private sealed class CutWhileWriting(CancellationTokenSource cancel, int after) : IProgressSink
    {
        private int _writes;

        public void Report(CopyProgress progress)
        {
            if (progress.Phase == CopyPhase.Writing && ++_writes == after)
            {
                cancel.Cancel();
            }
        }
    }
}
