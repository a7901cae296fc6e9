using DiskSync.TestSupport.PowerCuts;

namespace DiskSync.Engine.Tests.PowerCuts;

/// <summary>Safety rule 10 against a medium that loses, reorders and tears what was not flushed.</summary>
public class TailPowerCutTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void What_a_flush_covered_is_there_after_every_cut_and_what_was_answered_after_every_kill(int part)
    {
        for (int seed = part * 150; seed < (part + 1) * 150; seed++)
        {
            try
            {
                TailRun.Run(seed);
            }
            catch (Exception exception)
            {
                Assert.Fail($"seed {seed}: {exception}");
            }
        }
    }

    [Theory]
    [InlineData(FlushPoint.Image, "holds")]
    [InlineData(FlushPoint.Claim, "holds")]
    [InlineData(FlushPoint.NewJournal, "damaged the map")]
    [InlineData(FlushPoint.JournalName, "holds")]
    public void A_flush_that_is_taken_out_is_noticed(FlushPoint takenOut, string notice)
    {
        for (int seed = 0; seed < 2000; seed++)
        {
            try
            {
                TailRun.Run(seed, takenOut);
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

        Assert.Fail($"2000 runs without the flush of {takenOut} did not find that something {notice}");
    }

    [Fact]
    public void Runs_do_what_they_say()
    {
        long cuts = 0, kills = 0, failures = 0, flushes = 0, replacements = 0;
        for (int seed = 5000; seed < 5050; seed++)
        {
            TailWorld world = TailRun.Run(seed);
            cuts += world.PowerCuts;
            kills += world.Kills;
            failures += world.Failures;
            flushes += world.Flushes;
            replacements += world.Replacements;
        }

        Assert.True(cuts > 200 && kills > 50 && failures > 20 && flushes > 100 && replacements > 80, $"{cuts} {kills} {failures} {flushes} {replacements}");
    }
}
