using DiskSync.Wanem;

namespace DiskSync.Interop.Tests.Wanem;

public sealed class WanemOptionsTests
{
    [Fact]
    public void Options_go_both_ways_until_one_way_is_named()
    {
        WanemOptions options = Parse("--delay 25ms --loss 0.1% --rate 100mbit --b-to-a --rate 5mbit --queue 64k --a-to-b --jitter 1.5ms");
        Assert.Equal(new LinkOptions { Delay = 25_000_000, Loss = 0.001, Rate = 100_000_000, Jitter = 1_500_000 }, options.AToB);
        Assert.Equal(new LinkOptions { Delay = 25_000_000, Loss = 0.001, Rate = 5_000_000, QueueBytes = 65536 }, options.BToA);
        Assert.Equal(50_000_000, options.RoundTrip);
    }

    [Fact]
    public void The_links_of_the_benchmarks_have_names()
    {
        WanemOptions l2 = Parse("--link L2");
        Assert.Equal(new LinkOptions { Delay = 25_000_000, Loss = 0.001, Rate = 100_000_000 }, l2.AToB);
        WanemOptions l3 = Parse("--link L3 --seed 9 --mtu 9000 --queue 100ms");
        Assert.Equal(100_000_000, l3.RoundTrip);
        Assert.Equal(5_000_000, l3.BToA.Rate);
        Assert.Equal(62_500, l3.BToA.QueueLimit(l3.RoundTrip));
        Assert.Equal((9, 9000), (l3.Seed, l3.Mtu));
    }

    [Theory]
    [InlineData("--delay 25")]
    [InlineData("--delay -1ms")]
    [InlineData("--delay 2h")]
    [InlineData("--loss 101%")]
    [InlineData("--loss 1.5")]
    [InlineData("--rate 100")]
    [InlineData("--rate 1e9bit")]
    [InlineData("--queue 5mbit")]
    [InlineData("--link L9")]
    [InlineData("--mtu 0")]
    [InlineData("--overhead 5000")]
    [InlineData("--what 1")]
    [InlineData("--loss")]
    public void What_is_not_understood_is_named(string arguments)
    {
        Assert.False(WanemOptions.TryParse(["--a", "x", "--b", "y", .. arguments.Split(' ')], out _, out string error));
        Assert.StartsWith($"'{arguments}", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Both_namespaces_are_needed()
    {
        Assert.False(WanemOptions.TryParse(["--a", "x"], out _, out string error));
        Assert.Equal("both --a and --b are needed", error);
    }

    private static WanemOptions Parse(string arguments)
    {
        Assert.True(
            WanemOptions.TryParse(["--a", "x", "--b", "y", .. arguments.Split(' ')], out WanemOptions options, out string error), error);
        return options;
    }
}
