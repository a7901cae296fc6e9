using DiskSync.Engine.Dirty;

namespace DiskSync.Engine.Tests.Dirty;

public class DirtyBitmapTests
{
    [Fact]
    public void A_new_bitmap_is_clean()
    {
        DirtyBitmap bitmap = new(100_000);
        long cursor = 0;
        Assert.Equal(0, bitmap.Count);
        Assert.True(bitmap.IsDrained);
        Assert.False(bitmap.TakeNext(ref cursor, 10, out _));
        Assert.Equal(100_000, cursor);
    }

    [Fact]
    public void An_image_without_blocks_has_nothing_to_take()
    {
        DirtyBitmap bitmap = new(0);
        bitmap.MarkAll();
        long cursor = 0;
        Assert.False(bitmap.TakeNext(ref cursor, 1, out _));
        Assert.Equal(0, bitmap.Count);
    }

    [Fact]
    public void Taking_claims_runs_in_order_and_clears_them()
    {
        DirtyBitmap bitmap = new(1000);
        bitmap.Mark(10, 5);
        bitmap.Mark(20, 3);
        long cursor = 0;
        List<BlockRun> taken = [];
        while (bitmap.TakeNext(ref cursor, 4, out BlockRun run))
        {
            taken.Add(run);
        }

        Assert.Equal([new(10, 4), new(14, 1), new(20, 3)], taken);
        Assert.Equal(0, bitmap.Count);
        Assert.Equal(8, bitmap.ClaimedCount);
        Assert.False(bitmap.IsDrained);
    }

    [Fact]
    public void A_run_stops_where_a_claim_begins()
    {
        DirtyBitmap bitmap = new(100);
        bitmap.Mark(50, 2);
        long cursor = 0;
        Assert.True(bitmap.TakeNext(ref cursor, 10, out BlockRun middle));
        bitmap.MarkAll();
        cursor = 0;
        Assert.True(bitmap.TakeNext(ref cursor, 100, out BlockRun before));
        Assert.True(bitmap.TakeNext(ref cursor, 100, out BlockRun after));
        Assert.False(bitmap.TakeNext(ref cursor, 100, out _));
        Assert.Equal(new BlockRun(50, 2), middle);
        Assert.Equal(new BlockRun(0, 50), before);
        Assert.Equal(new BlockRun(52, 48), after);
        Assert.Equal(2, bitmap.Count);
    }

    [Fact]
    public void The_next_dirty_block_is_looked_for_as_far_as_the_limit_and_no_further()
    {
        DirtyBitmap bitmap = new(200_000);
        bitmap.Mark(150_000, 1);
        Assert.Equal(150_000, bitmap.NextDirty(10, 200_000));
        Assert.Equal(150_000, bitmap.NextDirty(150_000, 150_001));
        Assert.Equal(150_000, bitmap.NextDirty(10, 150_000));
        Assert.Equal(300, bitmap.NextDirty(10, 300));
        Assert.Equal(200_000, bitmap.NextDirty(150_001, 200_000));
        Assert.Throws<ArgumentOutOfRangeException>(() => bitmap.NextDirty(10, 200_001));
        Assert.Throws<ArgumentOutOfRangeException>(() => bitmap.NextDirty(10, 9));
    }

    [Fact]
    public void A_block_marked_while_claimed_stays_dirty_and_is_taken_only_after_its_release()
    {
        DirtyBitmap bitmap = new(10);
        bitmap.Mark(3, 1);
        long cursor = 0;
        Assert.True(bitmap.TakeNext(ref cursor, 1, out BlockRun run));
        bitmap.Mark(3, 1);
        cursor = 0;
        Assert.False(bitmap.TakeNext(ref cursor, 1, out _));
        Assert.True(bitmap.IsDirty(3));
        bitmap.Release(run);
        cursor = 0;
        Assert.True(bitmap.TakeNext(ref cursor, 1, out BlockRun again));
        Assert.Equal(run, again);
    }

    [Fact]
    public void A_failed_run_is_dirty_again()
    {
        DirtyBitmap bitmap = new(10);
        bitmap.MarkAll();
        long cursor = 0;
        Assert.True(bitmap.TakeNext(ref cursor, 10, out _));
        bitmap.Fail(new BlockRun(2, 3));
        bitmap.Release(new BlockRun(0, 2));
        bitmap.Release(new BlockRun(5, 5));
        Assert.Equal(3, bitmap.Count);
        Assert.Equal(0, bitmap.ClaimedCount);
    }

    [Fact]
    public void Failing_everything_makes_all_that_was_in_flight_dirty()
    {
        DirtyBitmap bitmap = new(100);
        bitmap.Mark(0, 10);
        bitmap.Mark(50, 10);
        long cursor = 0;
        while (bitmap.TakeNext(ref cursor, 3, out _))
        {
        }

        Assert.Equal(20, bitmap.FailAll());
        Assert.Equal(20, bitmap.Count);
        Assert.Equal(0, bitmap.ClaimedCount);
    }

    [Fact]
    public void Giving_back_what_is_not_claimed_is_a_bug_and_says_so()
    {
        DirtyBitmap bitmap = new(10);
        bitmap.MarkAll();
        long cursor = 0;
        Assert.True(bitmap.TakeNext(ref cursor, 2, out BlockRun run));
        Assert.Throws<InvalidOperationException>(() => bitmap.Release(new BlockRun(1, 2)));
        bitmap.Release(run);
        Assert.Throws<InvalidOperationException>(() => bitmap.Fail(run));
    }

    [Fact]
    public void A_run_outside_the_image_is_refused()
    {
        DirtyBitmap bitmap = new(10);
        Assert.Throws<ArgumentOutOfRangeException>(() => bitmap.Mark(10, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => bitmap.Mark(0, long.MaxValue));
        Assert.Throws<ArgumentOutOfRangeException>(() => bitmap.Clear(-1, 1));
    }

    [Fact]
    public void Marking_a_huge_image_costs_next_to_nothing()
    {
        // 1 TiB at 4 KiB granularity.
        long before = GC.GetAllocatedBytesForCurrentThread();
        DirtyBitmap bitmap = new(1L << 28);
        bitmap.MarkAll();
        bitmap.Clear(5, (1L << 28) - 10);
        long bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal(10, bitmap.Count);
        Assert.InRange(bytes, 0, 200_000);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Random_operations_agree_with_a_plain_array(int seed)
    {
        Random random = new(seed);
        int blocks = 32_768 + random.Next(0, 70_000);
        DirtyBitmap bitmap = new(blocks);
        bool[] dirty = new bool[blocks];
        bool[] claimed = new bool[blocks];
        long cursor = 0;
        for (int step = 0; step < 1500; step++)
        {
            int first = random.Next(blocks);
            int count = random.Next(4) == 0 ? random.Next(blocks - first) : Math.Min(blocks - first, random.Next(200));
            switch (random.Next(5))
            {
                case 0:
                    bitmap.Mark(first, count);
                    Array.Fill(dirty, true, first, count);
                    break;
                case 1:
                    bitmap.Clear(first, count);
                    Array.Fill(dirty, false, first, count);
                    break;
                case 2:
                    int most = random.Next(1, 40_000);
                    bool found = bitmap.TakeNext(ref cursor, most, out BlockRun run);
                    CheckTaken(dirty, claimed, found, most, run);
                    cursor = found ? cursor : 0;
                    break;
                default:
                    GiveSomeBack(random, bitmap, dirty, claimed, first);
                    break;
            }

            Assert.Equal(dirty.LongCount(bit => bit), bitmap.Count);
            Assert.Equal(claimed.LongCount(bit => bit), bitmap.ClaimedCount);
        }
    }

    private static void CheckTaken(bool[] dirty, bool[] claimed, bool found, int most, BlockRun run)
    {
        if (!found)
        {
            return;
        }

        Assert.InRange(run.Count, 1, most);
        for (long block = run.First; block < run.End; block++)
        {
            Assert.True(dirty[block] && !claimed[block]);
            dirty[block] = false;
            claimed[block] = true;
        }

        // The run is as long as it may be.
        Assert.True(run.Count == most || run.End == dirty.Length || !dirty[run.End] || claimed[run.End]);
    }

    private static void GiveSomeBack(Random random, DirtyBitmap bitmap, bool[] dirty, bool[] claimed, int from)
    {
        int start = Array.IndexOf(claimed, true, from);
        if (start < 0)
        {
            return;
        }

        int end = start;
        int limit = random.Next(1, 5000);
        while (end < claimed.Length && claimed[end] && end - start < limit)
        {
            end++;
        }

        bool failed = random.Next(2) == 0;
        Array.Fill(claimed, false, start, end - start);
        if (failed)
        {
            bitmap.Fail(new BlockRun(start, end - start));
            Array.Fill(dirty, true, start, end - start);
        }
        else
        {
            bitmap.Release(new BlockRun(start, end - start));
        }
    }
}
