using DiskSync.Engine.Comparison;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Tests.Comparison;

public sealed class ImageComparerTests
{
    [Fact]
    public void Random_images_compare_as_a_byte_by_byte_check_says()
    {
        for (int seed = 0; seed < 400; seed++)
        {
            var random = new Random(seed);
            int granularity = 4096 << random.Next(0, 5);
            int length = random.Next(0, 3 << 20);
            MemoryImage old = MemoryImage.Random(random, length, random.NextDouble());
            int newLength = random.Next(3) == 0 ? random.Next(0, 3 << 20) : length;
            MemoryImage now = old.Changed(random, newLength);
            var runs = new List<StateRun>();
            ComparisonResult result = ImageComparer.Compare(
                old,
                now,
                new ComparisonOptions { Granularity = granularity, Workers = random.Next(1, 4), OnRun = runs.Add },
                CancellationToken.None);

            Check(old.Content, now.Content, granularity, result, runs, seed);
        }
    }

    [Fact]
    public void Ranges_that_are_holes_in_both_images_are_not_read()
    {
        var old = new MemoryImage(new byte[8 << 20], new bool[2048]);
        var now = new MemoryImage(new byte[8 << 20], new bool[2048]);

        ComparisonResult result = ImageComparer.Compare(old, now, new ComparisonOptions(), CancellationToken.None);

        Assert.True(result.Same);
        Assert.Equal(0, old.BytesRead + now.BytesRead);
    }

    [Fact]
    public void A_hole_equals_zeros_that_were_written()
    {
        var old = new MemoryImage(new byte[1 << 20]);
        var now = new MemoryImage(new byte[1 << 20], new bool[256]);

        Assert.True(ImageComparer.Compare(old, now, new ComparisonOptions(), CancellationToken.None).Same);
        Assert.True(ImageComparer.Compare(now, old, new ComparisonOptions(), CancellationToken.None).Same);
    }

    [Fact]
    public void Empty_images_are_the_same()
    {
        ComparisonResult result = ImageComparer.Compare(
            new MemoryImage([]), new MemoryImage([]), new ComparisonOptions(), CancellationToken.None);

        Assert.True(result.Same);
        Assert.Equal(-1, result.FirstDifference);
    }

    [Fact]
    public void The_first_unreadable_place_in_the_order_of_the_image_is_the_one_reported()
    {
        var old = new MemoryImage(new byte[32 << 20]);
        var now = new MemoryImage(new byte[32 << 20]) { FailsAt = 20 << 20, Name = "bad.img" };

        var failure = Assert.Throws<Engine.Blocks.ImageIOException>(() => ImageComparer.Compare(
            old, now, new ComparisonOptions { Workers = 4 }, CancellationToken.None));

        Assert.Equal(20 << 20, failure.Offset);
        Assert.Equal("bad.img", failure.Image);
    }

    [Fact]
    public void An_image_that_grows_or_shrinks_meanwhile_is_refused()
    {
        var old = new MemoryImage(new byte[65536]);
        foreach (long later in new long[] { 65535, 65537 })
        {
            var now = new MemoryImage(new byte[65536]) { LengthLater = later };

            var failure = Assert.Throws<DiskSyncException>(
                () => ImageComparer.Compare(old, now, new ComparisonOptions(), CancellationToken.None));

            Assert.Equal(FailureKind.Source, failure.Kind);
            Assert.Contains(later < 65536 ? "shrank" : "grew", failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_cancelled_comparison_ends_with_OperationCanceledException()
    {
        using var cancel = new CancellationTokenSource();
        var old = new MemoryImage(new byte[64 << 20]);
        var now = new MemoryImage(new byte[64 << 20]);
        var options = new ComparisonOptions { OnRun = _ => { }, Progress = new CancelAtFirst(cancel) };

        Assert.ThrowsAny<OperationCanceledException>(() => ImageComparer.Compare(old, now, options, cancel.Token));
    }

    private static void Check(
        byte[] old, byte[] now, int granularity, ComparisonResult result, List<StateRun> runs, int seed)
    {
        var geometry = new BlockGeometry(now.Length, granularity);
        long changed = 0;
        long zeroed = 0;
        long precise = 0;
        long first = -1;
        long next = 0;
        foreach (StateRun run in runs)
        {
            Assert.Equal(next, run.First);
            next += run.Count;
            for (long block = run.First; block < run.First + run.Count; block++)
            {
                int offset = (int)geometry.OffsetOf(block);
                Span<byte> b = now.AsSpan(offset, geometry.LengthOf(block));
                int oldLength = Math.Clamp(old.Length - offset, 0, granularity);
                Span<byte> a = old.AsSpan(Math.Min(offset, old.Length), oldLength);
                bool differs = !a.SequenceEqual(b);
                Assert.True(differs == run.IsChange, $"seed {seed}, block {block}");
                Assert.True(!differs || (run.State == BlockState.Zeroed) == (b.IndexOfAnyExcept((byte)0) < 0), $"seed {seed}, block {block}");
                if (!differs)
                {
                    continue;
                }

                changed++;
                zeroed += run.State == BlockState.Zeroed ? 1 : 0;
                if (first < 0)
                {
                    first = offset + a.CommonPrefixLength(b);
                }

                for (int at = 0; at < b.Length; at += 4096)
                {
                    int end = Math.Min(b.Length, at + 4096);
                    Span<byte> sub = a[Math.Min(at, a.Length)..Math.Min(end, a.Length)];
                    precise += sub.SequenceEqual(b[at..end]) ? 0 : end - at;
                }
            }
        }

        Assert.Equal(geometry.BlockCount, next);
        Assert.Equal((changed, zeroed), (result.ChangedBlocks, result.ZeroedBlocks));
        Assert.True(precise == result.PreciseBytes, $"seed {seed}: {precise} {result.PreciseBytes}");
        if (first < 0 && old.Length != now.Length)
        {
            first = Math.Min(old.Length, now.Length);
        }

        Assert.True(first == result.FirstDifference, $"seed {seed}: {first} {result.FirstDifference}");
        Assert.Equal(old.AsSpan().SequenceEqual(now), result.Same);
    }

    private sealed class CancelAtFirst(CancellationTokenSource cancel) : Engine.Progress.IProgressSink
    {
        public void Report(Engine.Progress.CopyProgress progress) => cancel.Cancel();
    }
}
