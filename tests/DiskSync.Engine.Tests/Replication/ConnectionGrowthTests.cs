using DiskSync.Engine.Replication;

namespace DiskSync.Engine.Tests.Replication;

public sealed class ConnectionGrowthTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    [Theory]
    [InlineData(1.0, 2)]
    [InlineData(2.0, 4)]
    [InlineData(3.5, 4)]
    [InlineData(8.0, 8)]
    [InlineData(100.0, 16)]
    public void The_number_grows_until_more_connections_bring_no_more(double most, int expected)
    {
        ConnectionGrowth growth = new(16);
        Run(growth, 40, wanted => Math.Min(wanted, most));
        Assert.Equal(expected, growth.Wanted);
    }

    [Fact]
    public void Nothing_is_learned_while_the_image_is_read_more_slowly_than_the_link_takes_it()
    {
        ConnectionGrowth growth = new(16);
        for (int i = 0; i < 50; i++)
        {
            growth.Observe(Interval, 1 << 20, Interval * 0.1);
        }

        Assert.Equal(1, growth.Wanted);
    }

    [Fact]
    public void A_path_that_takes_more_later_is_noticed()
    {
        ConnectionGrowth growth = new(16);
        Run(growth, 20, wanted => Math.Min(wanted, 1));
        Assert.Equal(2, growth.Wanted);
        Run(growth, 200, wanted => Math.Min(wanted, 8));
        Assert.Equal(8, growth.Wanted);
    }

    [Fact]
    public void New_connections_that_start_slowly_are_given_time()
    {
        ConnectionGrowth growth = new(4);
        growth.Observe(Interval, 1000, Interval);
        growth.Observe(Interval, 1000, Interval);
        Assert.Equal(2, growth.Wanted);

        // The first interval with the new one shows nothing of it yet.
        growth.Observe(Interval, 1000, Interval);
        growth.Observe(Interval, 2000, Interval);
        growth.Observe(Interval, 2000, Interval);
        Assert.Equal(4, growth.Wanted);
    }

    [Fact]
    public void One_interval_in_which_more_arrives_by_chance_is_not_enough()
    {
        // Measured on 5 Mbit/s with a round trip of 100 ms, in thousands of bytes an interval of 2.2 s.
        ConnectionGrowth growth = new(16);
        foreach (long bytes in (long[])[550, 604, 525, 682, 548, 558, 603, 606, 640, 542, 544, 644])
        {
            growth.Observe(TimeSpan.FromSeconds(2.2), bytes * 2200, TimeSpan.FromSeconds(2.2));
        }

        Assert.Equal(2, growth.Wanted);
    }

    [Fact]
    public void A_goodput_that_still_rises_by_itself_is_no_reason_for_more_connections()
    {
        ConnectionGrowth growth = new(16);
        for (long bytes = 1000; bytes < 100_000; bytes *= 2)
        {
            growth.Observe(Interval, bytes, Interval);
            Assert.Equal(1, growth.Wanted);
        }
    }

    private static void Run(ConnectionGrowth growth, int intervals, Func<int, double> rate)
    {
        for (int i = 0; i < intervals; i++)
        {
            growth.Observe(Interval, (long)(rate(growth.Wanted) * 1_000_000), Interval * 2);
        }
    }
}
