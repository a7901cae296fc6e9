using DiskSync.Engine.Tail;
using DiskSync.Formats.Presence;
using DiskSync.TestSupport.PowerCuts;

namespace DiskSync.Engine.Tests.Tail;

/// <summary>How much was written since a hand-over, as it outlives kills and power cuts.</summary>
public sealed class WrittenCounterTests
{
    private readonly SimulatedMedium _medium = new(3);
    private readonly Guid _attempt = Guid.NewGuid();

    [Fact]
    public void A_kill_loses_nothing_that_was_noted()
    {
        SimulatedFile file = _medium.CreateStateFile("written");
        using (WrittenCounter counter = WrittenCounter.Open(file.Open(), _attempt, TimeProvider.System))
        {
            counter.Add(1000);
            counter.Add(200L << 20);
            counter.Note();
            counter.Add(5);
        }

        Assert.Equal((200L << 20) + 1000, WrittenCounter.Read(file.Open(), _attempt)!.Value.Bytes);
        using WrittenCounter again = WrittenCounter.Open(file.Open(), _attempt, TimeProvider.System);
        Assert.Equal((200L << 20) + 1000, again.Bytes);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void After_a_power_cut_it_is_known_that_and_at_most_how_much_was_written(int seed)
    {
        SimulatedMedium medium = new(seed);
        SimulatedFile file = medium.CreateStateFile("written");
        WrittenCounter counter = WrittenCounter.Open(file.Open(), _attempt, TimeProvider.System);
        long written = 0;
        for (int i = 0; i < 100; i++)
        {
            counter.Add(3 << 20);
            written += 3 << 20;
            counter.Note();
        }

        medium.PowerCut();
        WrittenCount count = WrittenCounter.Read(file.Open(), _attempt)!.Value;
        Assert.InRange(count.Bytes, 1, written);
        Assert.True(count.Most >= written);
        Assert.True(count.FirstMs > 0);
    }

    [Fact]
    public void What_is_of_another_hand_over_says_nothing()
    {
        SimulatedFile file = _medium.CreateStateFile("written");
        using (WrittenCounter counter = WrittenCounter.Open(file.Open(), _attempt, TimeProvider.System))
        {
            counter.Add(1000);
        }

        Assert.Null(WrittenCounter.Read(file.Open(), Guid.NewGuid()));
        using WrittenCounter other = WrittenCounter.Open(file.Open(), Guid.NewGuid(), TimeProvider.System);
        Assert.Equal(0, other.Bytes);
    }
}
