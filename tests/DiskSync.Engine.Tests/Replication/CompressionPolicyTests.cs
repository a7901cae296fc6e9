using DiskSync.Engine.Replication;

namespace DiskSync.Engine.Tests.Replication;

public class CompressionPolicyTests
{
    private readonly ManualTime _time = new();

    [Theory]
    [InlineData(CompressionMode.Always, true)]
    [InlineData(CompressionMode.Never, false)]
    public void What_the_user_asks_for_is_done(CompressionMode mode, bool compress)
    {
        CompressionPolicy policy = new(mode, 2, _time);
        Link(policy, 1_000_000, busy: true);
        Assert.Equal(compress, policy.ShouldCompress());
    }

    [Fact]
    public void Nothing_is_compressed_until_the_link_was_the_bottleneck()
    {
        CompressionPolicy policy = new(CompressionMode.Auto, 2, _time);
        Assert.False(policy.ShouldCompress());
        Link(policy, 100_000_000, busy: false);
        Assert.False(policy.ShouldCompress());
        Assert.Equal(double.PositiveInfinity, policy.LinkRate);
        Link(policy, 10_000_000, busy: true);
        Assert.Equal(10_000_000, policy.LinkRate, 1.0);
        Assert.True(policy.ShouldCompress());
    }

    [Fact]
    public void Data_that_does_not_shrink_is_only_probed()
    {
        CompressionPolicy policy = new(CompressionMode.Auto, 2, _time);
        Link(policy, 10_000_000, busy: true);
        for (int i = 0; i < 50; i++)
        {
            policy.Compressed(1_000_000, 1_000_000, TimeSpan.FromMilliseconds(2));
        }

        Assert.Equal(2, Enumerable.Range(0, 64).Count(_ => policy.ShouldCompress()));

        // The data changes: the probes find out.
        for (int i = 0; i < 50; i++)
        {
            policy.Compressed(1_000_000, 300_000, TimeSpan.FromMilliseconds(2));
        }

        Assert.True(policy.ShouldCompress());
    }

    [Fact]
    public void A_link_that_is_faster_than_the_compressor_is_left_alone()
    {
        CompressionPolicy policy = new(CompressionMode.Auto, 1, _time);
        for (int i = 0; i < 50; i++)
        {
            policy.Compressed(1_000_000, 500_000, TimeSpan.FromMilliseconds(100));
        }

        Link(policy, 100_000_000, busy: true);
        Assert.False(policy.ShouldCompress());
    }

    private void Link(CompressionPolicy policy, long bytesPerSecond, bool busy)
    {
        if (busy)
        {
            policy.Waited(TimeSpan.FromSeconds(1.8));
        }

        _time.Advance(TimeSpan.FromSeconds(1));
        policy.Acknowledged(bytesPerSecond);
    }
}
