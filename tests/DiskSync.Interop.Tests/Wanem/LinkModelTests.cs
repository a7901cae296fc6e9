using DiskSync.Wanem;

namespace DiskSync.Interop.Tests.Wanem;

public sealed class LinkModelTests
{
    private const long Millisecond = 1_000_000;

    [Fact]
    public void A_bare_link_changes_nothing()
    {
        LinkModel model = new(new LinkOptions(), 0, 1);
        Assert.Equal(Verdict.InOrder, model.Admit(1500, 77, out long due));
        Assert.Equal(77, due);
    }

    [Fact]
    public void The_delay_counts_from_when_the_wire_has_carried_the_packet()
    {
        LinkOptions options = new() { Delay = 25 * Millisecond, Rate = 100_000_000 };
        LinkModel model = new(options, 1 << 20, 1);
        model.Admit(1500, 0, out long first);
        model.Admit(1500, 0, out long second);
        Assert.Equal((25 * Millisecond) + 120_000, first);
        Assert.Equal(first + 120_000, second);

        // The wire has been free for long: nothing is saved up.
        model.Admit(1500, 1000 * Millisecond, out long third);
        Assert.Equal((1025 * Millisecond) + 120_000, third);
    }

    [Theory]
    [InlineData(5_000_000)]
    [InlineData(100_000_000)]
    [InlineData(1_000_000_000)]
    public void An_overloaded_link_carries_its_rate_and_drops_the_rest_at_its_tail(long rate)
    {
        LinkOptions options = new() { Rate = rate, Overhead = 38 };
        LinkModel model = new(options, 100_000, 1);
        long gap = 1462 * 8_000_000_000L / (rate * 3 / 2);
        long carried = 0;
        long dropped = 0;
        long last = 0;
        for (long now = 0; now < 10_000 * Millisecond; now += gap)
        {
            switch (model.Admit(1462, now, out long due))
            {
                case Verdict.InOrder:
                    carried += 1500;
                    last = due;
                    Assert.True(due - now <= 101_500 * 8e9 / rate, "it waited longer than a full queue takes");
                    break;
                case Verdict.QueueFull:
                    dropped++;
                    break;
            }
        }

        Assert.InRange(carried * 8e9 / last, rate * 0.999, rate * 1.001);
        Assert.True(dropped > 0);
    }

    [Fact]
    public void A_packet_larger_than_the_queue_goes_where_the_wire_is_free()
    {
        LinkModel model = new(new LinkOptions { Rate = 8000 }, 100, 1);
        Assert.Equal(Verdict.InOrder, model.Admit(1000, 0, out _));
        Assert.Equal(Verdict.QueueFull, model.Admit(50, 0, out _));
        Assert.Equal(Verdict.InOrder, model.Admit(50, 999 * Millisecond, out _));
    }

    [Theory]
    [InlineData(0.001)]
    [InlineData(0.01)]
    [InlineData(0.25)]
    public void Packets_are_lost_as_often_as_asked_and_each_on_its_own(double loss)
    {
        const int Packets = 1_000_000;
        LinkModel model = new(new LinkOptions { Loss = loss }, 0, 42);
        bool[] lost = [.. Enumerable.Range(0, Packets).Select(i => model.Admit(100, i, out _) == Verdict.Lost)];
        AssertShare(loss, lost.Count(l => l), Packets);
        int pairs = lost.Zip(lost.Skip(1)).Count(p => p.First && p.Second);
        AssertShare(loss * loss, pairs, Packets);
    }

    [Fact]
    public void The_same_seed_loses_the_same_packets_whatever_else_is_set()
    {
        LinkOptions plain = new() { Loss = 0.1 };
        LinkOptions more = plain with { Jitter = Millisecond, Reorder = 0.2, Rate = 1_000_000_000, Delay = Millisecond };
        Assert.Equal(Losses(plain, 7), Losses(more, 7));
        Assert.NotEqual(Losses(plain, 7), Losses(plain, 8));

        static int[] Losses(LinkOptions options, int seed)
        {
            LinkModel model = new(options, 1 << 30, seed);
            return [.. Enumerable.Range(0, 10_000).Where(i => model.Admit(100, i, out _) == Verdict.Lost)];
        }
    }

    [Fact]
    public void Jitter_varies_the_delay_evenly_and_keeps_the_order()
    {
        LinkOptions options = new() { Delay = 25 * Millisecond, Jitter = 5 * Millisecond };
        LinkModel model = new(options, 0, 3);
        List<double> delays = [];
        long last = 0;
        for (long now = 0; now < 100_000 * Millisecond; now += 20 * Millisecond)
        {
            Assert.Equal(Verdict.InOrder, model.Admit(100, now, out long due));
            Assert.True(due >= last);
            last = due;
            delays.Add((due - now) / 1e6);
        }

        Assert.InRange(delays.Min(), 20, 20.1);
        Assert.InRange(delays.Max(), 29.9, 30);
        Assert.InRange(delays.Average(), 24.8, 25.2);
    }

    [Fact]
    public void A_reordered_packet_comes_late_and_holds_nobody_up()
    {
        LinkOptions options = new() { Delay = 10 * Millisecond, Reorder = 0.05, ReorderBy = 2 * Millisecond };
        LinkModel model = new(options, 0, 3);
        int late = 0;
        for (int i = 0; i < 100_000; i++)
        {
            bool held = model.Admit(100, i, out long due) == Verdict.Late;
            Assert.Equal(i + (held ? 12 : 10) * Millisecond, due);
            late += held ? 1 : 0;
        }

        AssertShare(0.05, late, 100_000);
    }

    [Fact]
    public void The_queue_is_one_bandwidth_delay_product_unless_said_otherwise()
    {
        LinkOptions l2 = new() { Rate = 100_000_000, Delay = 25 * Millisecond };
        Assert.Equal(625_000, l2.QueueLimit(50 * Millisecond));
        Assert.Equal(1_250_000, l2.QueueLimit(100 * Millisecond));
        Assert.Equal(625_000, l2.QueueLimit(0));
        Assert.Equal(125_000, (l2 with { QueueTime = 10 * Millisecond }).QueueLimit(50 * Millisecond));
        Assert.Equal(4321, (l2 with { QueueBytes = 4321 }).QueueLimit(50 * Millisecond));
    }

    // Five standard deviations of the binomial distribution: one run in a million is outside, and the seeds are fixed.
    private static void AssertShare(double share, int found, int packets)
    {
        double sigma = Math.Sqrt(share * (1 - share) * packets);
        Assert.InRange(found, (share * packets) - (5 * sigma), (share * packets) + (5 * sigma));
    }
}
