using DiskSync.Engine.Replication;
using DiskSync.Linux;

namespace DiskSync.Engine.Tests.Replication;

public sealed class YieldGovernorTests
{
    private const double Tick = 0.2;

    [Fact]
    public void While_nobody_else_is_seen_there_is_no_ceiling()
    {
        YieldGovernor governor = new();
        for (int i = 0; i < 100; i++)
        {
            Assert.Equal(0, governor.Decide(Sample(10_000_000, milliseconds: i % 10)));
            Assert.Equal(0, governor.Decide(Sample(10_000_000, milliseconds: null)));
        }
    }

    [Theory]
    [InlineData(11, false, 0.95)]
    [InlineData(15, false, 0.75)]
    [InlineData(20, false, 0.5)]
    [InlineData(500, false, 0.5)]
    [InlineData(0, true, 0.7)]
    [InlineData(11, true, 0.7)]
    [InlineData(30, true, 0.5)]
    [InlineData(null, true, 0.7)]
    public void The_first_cut_is_of_what_was_sent_and_the_harder_the_longer_the_queue(int? milliseconds, bool disk, double share)
    {
        YieldGovernor governor = new();
        governor.Decide(Sample(10_000_000, milliseconds));
        Assert.Equal(10_000_000 * share, governor.Decide(Sample(10_000_000, milliseconds, disk)), 1.0);
    }

    [Fact]
    public void One_delayed_ack_is_no_queue()
    {
        YieldGovernor governor = new();
        for (int i = 0; i < 100; i++)
        {
            Assert.Equal(0, governor.Decide(Sample(10_000_000, milliseconds: i % 2 == 0 ? 0 : 80)));
        }
    }

    [Fact]
    public void Where_others_stay_it_falls_to_its_floor_and_no_further()
    {
        YieldGovernor governor = new();
        List<long> ceilings = [];
        long sent = 12_000_000;
        governor.Decide(Sample(sent, milliseconds: 40));
        for (int i = 0; i < 50; i++)
        {
            sent = governor.Decide(Sample(sent, milliseconds: 40));
            ceilings.Add(sent);
        }

        Assert.Equal(ceilings.OrderDescending(), ceilings);
        Assert.Equal(YieldGovernor.Floor, sent);
        Assert.True(ceilings.IndexOf(YieldGovernor.Floor) < 15, "it took more than three seconds to give way");
    }

    [Fact]
    public void Where_others_are_gone_it_comes_back_in_some_ten_seconds()
    {
        YieldGovernor governor = new();
        long sent = 12_000_000;
        for (int i = 0; i < 50; i++)
        {
            sent = governor.Decide(Sample(sent, milliseconds: 40));
        }

        int ticks = 0;
        for (; sent < 11_000_000; ticks++)
        {
            Assert.True(ticks < 500, "it never came back");
            sent = governor.Decide(Sample(sent, milliseconds: 0));
        }

        Assert.InRange(ticks * Tick, 5, 20);
    }

    [Fact]
    public void A_ceiling_far_beyond_what_is_sent_does_not_keep_it_from_being_felt()
    {
        YieldGovernor governor = new();
        governor.Decide(Sample(10_000_000, milliseconds: 20));
        governor.Decide(Sample(10_000_000, milliseconds: 20));
        for (int i = 0; i < 1000; i++)
        {
            // The disk, say, gives a tenth of what the link would take.
            governor.Decide(Sample(1_000_000, milliseconds: 0));
        }

        governor.Decide(Sample(1_000_000, milliseconds: 20));
        Assert.True(governor.Decide(Sample(1_000_000, milliseconds: 20)) <= 800_000, $"{governor.Ceiling}");
    }

    [Fact]
    public void Alone_on_a_link_it_takes_most_of_it_and_keeps_the_queue_short()
    {
        // A link of 12.5 MB/s with 50 ms of queue, and a sender without any limit but the ceiling.
        const double Link = 12_500_000;
        YieldGovernor governor = new();
        double queue = 0;
        double carried = 0;
        double queued = 0;
        for (int i = 0; i < 3000; i++)
        {
            double offered = governor.Ceiling > 0 ? governor.Ceiling : Link * 1.2;
            double before = queue;
            queue = Math.Clamp(queue + ((offered - Link) * Tick), 0, Link * 0.05);
            double sent = Math.Min(Link * Tick, (offered * Tick) + before);
            governor.Decide(new YieldSample(Tick, (long)sent, TimeSpan.FromSeconds(queue / Link), false));
            carried += i >= 500 ? sent : 0;
            queued += i >= 500 ? queue / Link : 0;
        }

        Assert.True(carried > 0.8 * Link * Tick * 2500, $"{carried / (Link * Tick * 2500):P0} of the link");
        Assert.True(queued / 2500 < 0.010, $"{queued / 2500 * 1000:F1} ms of queue");
    }

    [Theory]
    [InlineData(900, 1000, 1000, 100, false)]
    [InlineData(900, 1000, 0, 100, true)]
    [InlineData(900, 1000, 850, 100, true)]
    [InlineData(900, 1000, 950, 100, false)]
    [InlineData(500, 1000, 0, 100, false)]
    [InlineData(900, 1000, 0, 1, false)]
    [InlineData(900, 1000, 0, null, true)]
    public void A_disk_is_contended_where_it_is_busy_others_use_it_and_somebody_waits(
        int busy, int bytes, int own, int? stalled, bool contended)
    {
        Queue<DiskUse?> uses = new([new DiskUse(TimeSpan.FromHours(1), 5000, 4000), new DiskUse(
            TimeSpan.FromHours(1) + TimeSpan.FromMilliseconds(busy), 5000 + bytes, 4000 + own)]);
        Queue<TimeSpan?> stalls = new([
            stalled is null ? null : TimeSpan.FromHours(2),
            stalled is { } s ? TimeSpan.FromHours(2) + TimeSpan.FromMilliseconds(s) : null]);
        DiskContention disk = new(uses.Dequeue, stalls.Dequeue);
        Assert.Equal(contended, disk.Look(TimeSpan.FromSeconds(1)));
    }

    [Theory]
    [InlineData(300, false)]
    [InlineData(500, true)]
    public void Without_counters_of_the_disk_only_much_waiting_counts(int stalled, bool contended)
    {
        Queue<TimeSpan?> stalls = new([TimeSpan.Zero, TimeSpan.FromMilliseconds(stalled)]);
        Assert.Equal(contended, new DiskContention(() => null, stalls.Dequeue).Look(TimeSpan.FromSeconds(1)));
        Assert.False(new DiskContention(() => null, () => null).Look(TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public void Of_acks_the_least_of_an_interval_counts_beyond_the_shortest_ever()
    {
        AckDelays acks = new();
        Assert.Null(acks.TakeQueueing());
        acks.Note(TimeSpan.FromMilliseconds(70));
        acks.Note(TimeSpan.FromMilliseconds(50));
        Assert.Equal(TimeSpan.Zero, acks.TakeQueueing());
        Assert.Null(acks.TakeQueueing());
        acks.Note(TimeSpan.FromMilliseconds(300));
        acks.Note(TimeSpan.FromMilliseconds(90));
        Assert.Equal(TimeSpan.FromMilliseconds(40), acks.TakeQueueing());
    }

    private static YieldSample Sample(long bytesPerSecond, int? milliseconds, bool disk = false) => new(
        Tick, (long)(bytesPerSecond * Tick), milliseconds is { } ms ? TimeSpan.FromMilliseconds(ms) : null, disk);
}
