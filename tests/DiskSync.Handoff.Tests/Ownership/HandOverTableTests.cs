using DiskSync.Engine;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Handoff.Hooks;
using DiskSync.Handoff.Ownership;
using DiskSync.Handoff.Tests.World;

namespace DiskSync.Handoff.Tests.Ownership;

/// <summary>Design section 5's table test: both sides killed between every pair of records, the link cut at every message.</summary>
/// <remarks>
/// The invariants (at most one owner, at most one running guest, whoever runs holds the newest write, CEDED only
/// with the name gone, a guest at D only with name and seal) are checked by the world at every single step.
/// </remarks>
public class HandOverTableTests
{
    [Fact]
    public async Task Without_any_fault_the_destination_runs_and_the_source_is_done()
    {
        SimWorld world = new();
        HandOverResult result = await world.Migrate(new SimProcess(world.S), new SimProcess(world.D));

        Assert.Equal(HandOverState.Done, result.State);
        Assert.Equal(2ul, result.Epoch);
        Assert.Equal(AttemptState.Done, world.S.LastKind);
        Assert.Equal(AttemptState.Running, world.D.LastKind);
        Assert.True(world.D.GuestRuns && !world.S.GuestRuns);
        Assert.Equal(
            [AttemptState.Owner, AttemptState.Paused, AttemptState.Ceded, AttemptState.Done],
            world.S.Durable.Where(e => e.Image == world.Images[0]).Select(e => e.Kind));
        Assert.Equal(
            [AttemptState.Prepared, AttemptState.Owner, AttemptState.Running],
            world.D.Durable.Where(e => e.Image == world.Images[0]).Select(e => e.Kind));
    }

    /// <summary>Every death of S, of D and every cut of the link, in all combinations; then the next command.</summary>
    [Theory]
    [InlineData(false, false, false)]
    [InlineData(true, false, false)]
    [InlineData(true, true, false)]
    [InlineData(false, false, true)]
    [InlineData(true, true, true)]
    public async Task Whatever_dies_or_breaks_at_most_one_may_write_and_the_next_command_resolves_it(
        bool powerCuts, bool losesNames, bool pauseFails)
    {
        SimWorld calm = new();
        await calm.Migrate(new SimProcess(calm.S), new SimProcess(calm.D));
        List<LinkCut> cuts = [LinkCut.None];
        cuts.AddRange(Enumerable.Range(0, calm.Messages).SelectMany(m => new[] { new LinkCut(m, false), new LinkCut(m, true) }));
        int runs = 0;
        foreach (LinkCut cut in cuts)
        {
            for (int killS = 0; killS <= calm.S.Steps; killS++)
            {
                for (int killD = 0; killD <= (pauseFails ? 0 : calm.D.Steps); killD++)
                {
                    foreach (NextCommand next in Enum.GetValues<NextCommand>())
                    {
                        SimWorld world = new()
                        {
                            PowerCuts = powerCuts,
                            LosesUnflushedNames = losesNames,
                            FailingHook = pauseFails ? GuestAction.Pause : null,
                            Cut = cut,
                        };
                        world.S.KillAt = killS == 0 ? -1 : killS;
                        world.D.KillAt = killD == 0 ? -1 : killD;
                        await Attempt(world);
                        world.FailingHook = null;
                        await ResolveWithoutLink(world);
                        await ResolveWithLink(world, next);
                        runs++;
                    }
                }
            }
        }

        Assert.True(runs > (pauseFails ? 500 : 10_000), $"only {runs} runs");
    }

    /// <summary>The same with one image and a second death, of either side, while the first is being resolved.</summary>
    [Fact]
    public async Task A_second_death_while_the_first_is_resolved_is_resolved_too()
    {
        SimWorld calm = new(images: 1);
        await calm.Migrate(new SimProcess(calm.S), new SimProcess(calm.D));
        for (int first = 1; first <= calm.S.Steps + calm.D.Steps; first++)
        {
            foreach (bool secondAtSource in new[] { true, false })
            {
                for (int second = 1; second < 25; second++)
                {
                    SimWorld world = new(images: 1) { PowerCuts = (first + second) % 2 == 0, LosesUnflushedNames = second % 3 == 0 };
                    world.S.KillAt = first <= calm.S.Steps ? first : -1;
                    world.D.KillAt = first > calm.S.Steps ? first - calm.S.Steps : -1;
                    await Attempt(world);
                    Restart(world);
                    SimHost victim = secondAtSource ? world.S : world.D;
                    victim.KillAt = victim.Steps + second;
                    await Quietly(() => Recover(world));
                    await Quietly(() => Owner(world, link: true, CededWish.Complete));
                    victim.KillAt = -1;
                    await ResolveWithoutLink(world);
                    await ResolveWithLink(world, NextCommand.Owner);
                }
            }
        }
    }

    [Fact]
    public async Task A_journal_that_acknowledges_before_it_flushes_is_caught_by_this_table() =>
        await Assert.ThrowsAsync<InvalidOperationException>(() => SweepMutant(() => new SimWorld
        {
            PowerCuts = true,
            JournalDoesNotFlush = true,
        }));

    [Fact]
    public async Task A_rename_whose_folder_is_not_flushed_is_caught_by_this_table() =>
        await Assert.ThrowsAsync<InvalidOperationException>(() => SweepMutant(() => new SimWorld
        {
            PowerCuts = true,
            LosesUnflushedNames = true,
            NamesAreNotFlushed = true,
        }));

    private static async Task SweepMutant(Func<SimWorld> make)
    {
        for (int killS = 0; killS < 60; killS++)
        {
            for (int killD = 0; killD < 40; killD++)
            {
                SimWorld world = make();
                world.S.KillAt = killS == 0 ? -1 : killS;
                world.D.KillAt = killD == 0 ? -1 : killD;
                await Attempt(world);
                await ResolveWithoutLink(world);
                await ResolveWithLink(world, NextCommand.Owner);
            }
        }
    }

    internal static async Task Attempt(SimWorld world)
    {
        SimProcess s = new(world.S);
        SimProcess d = new(world.D);
        await Quietly(() => world.Migrate(s, d));
    }

    internal static void Restart(SimWorld world)
    {
        foreach (SimHost host in new[] { world.S, world.D })
        {
            host.KillAt = -1;
            if (!host.Up)
            {
                host.Start();
            }
        }
    }

    internal static async Task Recover(SimWorld world) => await new SimProcess(world.D).Destination.RecoverAtStartAsync();

    internal static Task<HandOverResult> Owner(SimWorld world, bool link, CededWish wish)
    {
        SimProcess s = new(world.S);
        return s.Source.ResolveAsync(world.Images[0], link ? new SimLink(s, world.D, new SimProcess(world.D)) : null, wish, CancellationToken.None);
    }

    internal static async Task Quietly(Func<Task> action)
    {
        try
        {
            await action();
        }
        catch (Exception e) when (e is SimKilledException or DiskSyncException)
        {
        }
    }

    /// <summary>Both hosts are up again, the link is not: nobody may be stuck but in the one case that section 5 names.</summary>
    internal static async Task ResolveWithoutLink(SimWorld world)
    {
        Restart(world);
        await Recover(world);
        HandOverResult result = await Owner(world, link: false, CededWish.Complete);
        world.Tick("resolved without a link");
        if (!world.S.GuestRuns && !world.D.GuestRuns)
        {
            world.Check(world.S.LastKind == AttemptState.Ceded, $"both are stopped without a link, S is {world.S.LastKind}");
            world.Check(
                world.D.LastKind is AttemptState.Prepared or AttemptState.PreparedTail or AttemptState.Refused or AttemptState.Done,
                $"both are stopped without a link, D is {world.D.LastKind}");
            world.Check(result.State == HandOverState.InDoubt, $"both are stopped, S says {result.State}");
        }
    }

    /// <summary>With a link one command resolves everything.</summary>
    internal static async Task ResolveWithLink(SimWorld world, NextCommand next)
    {
        world.LinkUp = true;
        world.Cut = LinkCut.None;
        HandOverResult result = await Owner(world, link: true, next == NextCommand.OwnerCallOff ? CededWish.CallOff : CededWish.Complete);
        world.Check(result.State != HandOverState.InDoubt, $"in doubt with a link: {result.Message}");
        world.Check(world.S.GuestRuns != world.D.GuestRuns, "not exactly one guest runs");
        if (next == NextCommand.MigrateAgain && world.S.GuestRuns)
        {
            HandOverResult again = await world.Migrate(new SimProcess(world.S), new SimProcess(world.D));
            world.Check(again.State is HandOverState.Done or HandOverState.Pinned && world.D.GuestRuns, $"migrate again: {again.Message}");
        }

        if (world.S.Durable.Count == 0)
        {
            return; // Died before it wrote anything: the image is as unseen as it was.
        }

        foreach (string image in world.Images)
        {
            world.Check(world.S.DurableView.Owns(image) != world.D.DurableView.Owns(image), "not exactly one owns");
            world.Check(world.S.DurableView.MayRun(image) == world.S.GuestRuns, "S's guest and journal differ");
            world.Check(
                (world.D.DurableView.MayRun(image) || world.D.DurableView.Last(image)?.Kind == AttemptState.RunningIncomplete) == world.D.GuestRuns,
                "D's guest and journal differ");
        }
    }
}
