using DiskSync.Engine.Replication;
using DiskSync.Formats.Wire.Messages;
using DiskSync.TestSupport.Copying;

namespace DiskSync.Engine.Tests.Replication;

/// <summary>What becomes of the belief that the destination is the limit, when nothing speaks for or against it any more.</summary>
public sealed class SlowDestinationDoubtTests
{
    private const double Gigabit = 117e6;
    private const double Interval = 0.25;
    private const int Acks = 25;
    private readonly VirtualTime _time = new();
    private readonly CompressionPolicy _policy;

    public SlowDestinationDoubtTests()
    {
        _policy = new CompressionPolicy(CompressionMode.Auto, Capability.Lz4 | Capability.Zstd, workers: 2, _time);

        // One is always under way, and the first ack only starts the clock.
        _policy.Choose();
        Measure(0.001, 0.001);
    }

    [Fact]
    public void A_gigabit_link_that_was_taken_for_a_slow_destination_is_asked_about_again()
    {
        TakeTheDestinationForTheLimit();

        // Nothing is encoded from now on, so nothing shows that more would arrive if it were.
        double seconds = 0;
        while (Measure(Gigabit, Gigabit) == BatchCodec.Raw)
        {
            seconds += Interval;
            Assert.True(seconds < 2, "nobody has asked");
        }
    }

    [Fact]
    public void A_destination_that_is_the_limit_is_asked_about_ever_more_rarely()
    {
        int asked = 0;
        TakeTheDestinationForTheLimit();
        for (double seconds = 0; seconds < 100; seconds += Interval)
        {
            if (Measure(Gigabit, Gigabit) != BatchCodec.Raw)
            {
                asked++;
                TakeTheDestinationForTheLimit();
            }
        }

        Assert.InRange(asked, 3, 7);
    }

    // What is encoded makes the wire's rate fall, and no difference to what arrives.
    private void TakeTheDestinationForTheLimit()
    {
        Measure(Gigabit, Gigabit);
        Measure(Gigabit, Gigabit);
        Measure(Gigabit / 3, Gigabit);
        Assert.Equal(BatchCodec.Raw, Measure(Gigabit, Gigabit));
    }

    /// <summary>An interval in which all waited.</summary>
    /// <returns>What had been chosen for it.</returns>
    private BatchCodec Measure(double wire, double payload)
    {
        BatchCodec chosen = _policy.Choose();
        _policy.WaitBegins();
        for (int i = 0; i < Acks; i++)
        {
            _time.Seconds += Interval / Acks;
            if (i == Acks - 1)
            {
                _policy.WaitEnds();
            }

            _policy.Acknowledged((long)(wire * Interval / Acks), (long)(payload * Interval / Acks), TimeSpan.Zero, chosen);
        }

        return chosen;
    }
}
