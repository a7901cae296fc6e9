using DiskSync.TestSupport.PowerCuts;
using FsCheck.Xunit;

namespace DiskSync.Engine.Tests.PowerCuts;

/// <summary>Safety rule 4 against a medium that loses, reorders and tears what was not flushed. Thousands more seeds: tools/powercut/run.</summary>
public class PowerCutTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Source_and_destination_end_identical_and_every_claim_is_true_after_every_cut(int hundred)
    {
        for (int seed = hundred * 100; seed < (hundred + 1) * 100; seed++)
        {
            Run(seed);
        }
    }

    [Property(MaxTest = 150)]
    public void Any_sequence_of_writes_rounds_failures_power_cuts_and_retries_ends_with_source_and_destination_identical(
        ushort seed, (byte Kind, byte Value)[] steps)
    {
        using PowerCutWorld world = new(seed);
        foreach ((byte kind, byte value) in steps)
        {
            Step(world, kind % 9, value);
        }

        world.Finish();
    }

    [Theory]
    [InlineData(FlushPoint.Image, "does not hold on the medium what the journal claims")]
    [InlineData(FlushPoint.Map, "does not hold on the medium what the journal claims")]
    [InlineData(FlushPoint.Withdraw, "does not hold on the medium what the journal claims")]
    [InlineData(FlushPoint.Claim, "was claimed durably and is not claimed")]
    [InlineData(FlushPoint.Session, "was forgotten")]
    [InlineData(FlushPoint.Record, "a power cut alone damaged the journal")]
    [InlineData(FlushPoint.NewJournal, "a power cut alone damaged the journal")]
    [InlineData(FlushPoint.JournalName, "does not hold on the medium what the journal claims")]
    public void A_flush_that_is_taken_out_is_noticed(FlushPoint takenOut, string notice)
    {
        for (int seed = 0; seed < 1000; seed++)
        {
            try
            {
                PowerCutRun.Run(seed, takenOut);
            }
            catch (PowerCutFailureException failure) when (failure.Message.Contains(notice, StringComparison.Ordinal))
            {
                return;
            }
            catch (PowerCutFailureException)
            {
                // Noticed already, but for another reason than the one that matters most.
            }
        }

        Assert.Fail($"1000 runs without the flush of {takenOut} did not find that a block or page {notice}");
    }

    [Fact]
    public void Runs_do_what_they_say()
    {
        PowerCutCounts counts = new();
        for (int seed = 1000; seed < 1040; seed++)
        {
            counts.Add(PowerCutRun.Run(seed));
        }

        Assert.True(
            counts is { Rounds: > 100, Checkpoints: > 100, PowerCuts: > 100, Kills: > 20, Failures: > 20 }, counts.ToString());
        Assert.True(counts.HashedBytes > 0, counts.ToString());
    }

    [Fact]
    public void A_run_is_the_same_each_time()
    {
        Assert.Equal(PowerCutRun.Run(7).ToString(), PowerCutRun.Run(7).ToString());
    }

    private static void Run(int seed)
    {
        try
        {
            PowerCutRun.Run(seed);
        }
        catch (Exception exception)
        {
            Assert.Fail($"seed {seed} (tools/powercut/run --seed {seed}): {exception}");
        }
    }

    private static void Step(PowerCutWorld world, int kind, byte value)
    {
        switch (kind)
        {
            case 0:
                world.WriteSource();
                break;
            case 1:
                world.Round(1);
                break;
            case 2:
                world.Round(value / 255.0);
                break;
            case 3:
                world.Checkpoint();
                break;
            case 4:
                world.ReadBack();
                break;
            case 5:
                world.StopAfter(value, cut: true);
                break;
            case 6:
                world.StopAfter(value, cut: false);
                break;
            case 7:
                world.FailAfter(value);
                break;
            default:
                world.Stop(cut: value % 2 == 0);
                break;
        }
    }
}
