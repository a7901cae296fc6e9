using DiskSync.Engine;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Handoff.Ownership;
using DiskSync.Handoff.Tests.World;

namespace DiskSync.Handoff.Tests.Ownership;

/// <summary>The table test of a hand-over with a tail: both sides killed between every pair of records, the link cut at every message.</summary>
/// <remarks>
/// On top of what the world always checks: for as long as D is not complete by its own durable word, S is ceded or pinned,
/// and its frozen image has its ceded name; D's guest runs only where its image is under the name that no habit starts.
/// </remarks>
public class TailHandOverTableTests
{
    [Fact]
    public async Task Without_any_fault_the_source_is_pinned_until_the_destination_is_complete_and_then_done()
    {
        SimWorld world = new() { Tail = true };
        HandOverResult result = await world.Migrate(new SimProcess(world.S), new SimProcess(world.D));

        Assert.Equal(HandOverState.Done, result.State);
        Assert.True(world.D.GuestRuns && !world.S.GuestRuns);
        Assert.Equal(
            [AttemptState.Owner, AttemptState.Paused, AttemptState.Ceded, AttemptState.Pinned, AttemptState.Done],
            world.S.Durable.Where(e => e.Image == world.Images[0]).Select(e => e.Kind));
        Assert.Equal(
            [AttemptState.PreparedTail, AttemptState.OwnerIncomplete, AttemptState.RunningIncomplete, AttemptState.Running],
            world.D.Durable.Where(e => e.Image == world.Images[0]).Select(e => e.Kind));
        Assert.Equal("NAME", world.D.DurableNames[world.Images[0]]);
        Assert.Empty(world.D.TailSeals);
    }

    [Fact]
    public async Task One_of_two_images_that_is_whole_does_not_unpin_the_source()
    {
        SimWorld world = await PinnedAsync();
        SimProcess d = new(world.D);
        world.D.Missing.Remove(world.Images[0]);
        Assert.True(d.Destination.Tails.TryComplete(world.Images[0], isServing: true));
        HandOverResult result = await HandOverTableTests.Owner(world, link: true, CededWish.Complete);

        Assert.Equal(HandOverState.Pinned, result.State);
        Assert.Equal(AttemptState.Pinned, world.S.LastKind);
        world.Complete(d);
        Assert.Equal(HandOverState.Done, (await HandOverTableTests.Owner(world, link: true, CededWish.Complete)).State);
    }

    [Fact]
    public async Task What_is_missing_still_cannot_be_called_whole()
    {
        SimWorld world = await PinnedAsync();
        Assert.Throws<DiskSyncException>(() => new SimProcess(world.D).Destination.Tails.TryComplete(world.Images[0], isServing: true));
        Assert.Equal(AttemptState.RunningIncomplete, world.D.LastKind);
    }

    [Fact]
    public async Task An_image_with_a_tail_is_given_back_only_with_the_word_that_its_writes_may_be_lost()
    {
        SimWorld world = await PinnedAsync();
        SimProcess d = new(world.D);
        DiskSyncException e = await Assert.ThrowsAsync<DiskSyncException>(
            () => d.Owner.ReturnAsync(world.Images[0], null, discardWrites: false, CancellationToken.None));
        Assert.Contains("--discard-writes", e.Advice);

        world.D.GuestRuns = false;
        _ = await d.Owner.ReturnAsync(world.Images[0], null, discardWrites: true, CancellationToken.None);
        Assert.Equal(AttemptState.Done, world.D.LastKind);
        Assert.Equal("ceded-3", world.D.DurableNames[world.Images[1]]);
        HandOverResult result = await HandOverTableTests.Owner(world, link: true, CededWish.Complete);
        Assert.Equal(HandOverState.SourceRuns, result.State);
        Assert.True(world.S.GuestRuns);
        await Assert.ThrowsAsync<DiskSyncException>(() => new SimProcess(world.D).Owner.ForceAsync(world.Images[0]));
    }

    [Fact]
    public async Task A_whole_image_whose_export_died_before_it_could_say_so_is_said_to_be_whole_at_the_next_start_and_never_given_back()
    {
        SimWorld world = await PinnedAsync();
        world.D.Missing.Clear();
        world.D.GuestRuns = false;
        await Assert.ThrowsAsync<DiskSyncException>(
            () => new SimProcess(world.D).Owner.ReturnAsync(world.Images[0], null, discardWrites: true, CancellationToken.None));
        _ = await new SimProcess(world.D).Destination.RecoverAtStartAsync();
        Assert.Equal(AttemptState.Running, world.D.LastKind);
        Assert.Equal(HandOverState.Done, (await HandOverTableTests.Owner(world, link: true, CededWish.Complete)).State);
    }

    /// <summary>Every death of S, of D and every cut of the link, in all combinations; then the next command, and what is missing arrives.</summary>
    [Theory]
    [InlineData(false, false, NextCommand.Owner)]
    [InlineData(true, false, NextCommand.MigrateAgain)]
    [InlineData(true, true, NextCommand.OwnerCallOff)]
    public async Task Whatever_dies_or_breaks_at_most_one_may_write_and_the_source_is_never_unpinned_too_early(
        bool powerCuts, bool losesNames, NextCommand next)
    {
        SimWorld calm = new() { Tail = true };
        await calm.Migrate(new SimProcess(calm.S), new SimProcess(calm.D));
        List<LinkCut> cuts = [LinkCut.None];
        cuts.AddRange(Enumerable.Range(0, calm.Messages).SelectMany(m => new[] { new LinkCut(m, false), new LinkCut(m, true) }));
        int runs = 0;
        foreach (LinkCut cut in cuts)
        {
            for (int killS = 0; killS <= calm.S.Steps; killS++)
            {
                for (int killD = 0; killD <= calm.D.Steps; killD++)
                {
                    SimWorld world = new() { Tail = true, PowerCuts = powerCuts, LosesUnflushedNames = losesNames, Cut = cut };
                    world.S.KillAt = killS == 0 ? -1 : killS;
                    world.D.KillAt = killD == 0 ? -1 : killD;
                    await HandOverTableTests.Attempt(world);
                    await HandOverTableTests.ResolveWithoutLink(world);
                    await HandOverTableTests.ResolveWithLink(world, next);
                    await CompleteAsync(world);
                    runs++;
                }
            }
        }

        Assert.True(runs > 5_000, $"only {runs} runs");
    }

    /// <summary>D dies at every step of its completion, once and once more while that is done again.</summary>
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_completion_that_dies_anywhere_is_done_again(bool powerCuts, bool losesNames)
    {
        for (int first = 1; first < 30; first++)
        {
            for (int second = 1; second < 30; second++)
            {
                SimWorld world = new() { Tail = true, PowerCuts = powerCuts, LosesUnflushedNames = losesNames };
                await PinnedAsync(world);
                foreach (int kill in new[] { first, second })
                {
                    world.D.KillAt = world.D.Steps + kill;
                    await HandOverTableTests.Quietly(() =>
                    {
                        world.Complete(new SimProcess(world.D));
                        return Task.CompletedTask;
                    });
                    await HandOverTableTests.Quietly(() => HandOverTableTests.Recover(world));
                    HandOverTableTests.Restart(world);
                    _ = await HandOverTableTests.Owner(world, link: true, CededWish.Complete);
                }

                await HandOverTableTests.Recover(world);
                _ = await HandOverTableTests.Owner(world, link: true, CededWish.Complete);
                await CompleteAsync(world);
                world.Check(world.S.LastKind == AttemptState.Done, $"S is {world.S.LastKind}");
            }
        }
    }

    private static async Task<SimWorld> PinnedAsync()
    {
        SimWorld world = new() { Tail = true };
        await PinnedAsync(world);
        return world;
    }

    // Whoever dies before the last part has arrived leaves S pinned.
    private static async Task PinnedAsync(SimWorld world)
    {
        world.CompletesAtOnce = false;
        HandOverResult result = await world.Migrate(new SimProcess(world.S), new SimProcess(world.D));
        Assert.Equal(HandOverState.Pinned, result.State);
    }

    /// <summary>What is missing arrives, D says so, S hears of it.</summary>
    private static async Task CompleteAsync(SimWorld world)
    {
        world.Complete(new SimProcess(world.D));
        HandOverResult result = await HandOverTableTests.Owner(world, link: true, CededWish.Complete);
        world.Check(result.State is not (HandOverState.InDoubt or HandOverState.Pinned), $"{result.State}: {result.Message}");
        world.Check(world.S.LastKind != AttemptState.Pinned, "S is pinned though D is complete");
        world.Check(world.S.GuestRuns != world.D.GuestRuns, "not exactly one guest runs");
        world.Check(!world.D.LastKind.IsIncomplete(), "D is not complete");
    }
}
