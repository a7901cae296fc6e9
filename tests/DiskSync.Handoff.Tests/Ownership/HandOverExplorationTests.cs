using DiskSync.Engine;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Handoff.Ownership;
using DiskSync.Handoff.Tests.World;

namespace DiskSync.Handoff.Tests.Ownership;

/// <summary>Seeded chains of failures on top of failures: any command at any time, any death, any lost message.</summary>
public class HandOverExplorationTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public Task Any_chain_of_commands_and_failures_keeps_one_owner_and_ends_resolved(int lot) =>
        ExploreAsync(lot, withTail: false, "Ceded/Prepared", "Ceded/Refused", "Done/Running", "Running/Refused");

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public Task The_same_with_tails_never_unpins_a_source_that_is_needed(int lot) =>
        ExploreAsync(lot, withTail: true, "Ceded/PreparedTail", "Pinned/RunningIncomplete", "Pinned/OwnerIncomplete", "Pinned/Running", "Pinned/Done", "Done/Running");

    private static async Task ExploreAsync(int lot, bool withTail, params string[] expected)
    {
        Dictionary<string, int> seen = new(StringComparer.Ordinal);
        for (int seed = lot * 1500; seed < (lot + 1) * 1500; seed++)
        {
            Random random = new(seed);
            SimWorld world = new(images: 1 + (seed % 2), random)
            {
                PowerCuts = random.Next(2) == 0,
                LosesUnflushedNames = random.Next(2) == 0,
                Mischief = random.NextDouble() * 0.3,
                Tail = withTail,
                CompletesAtOnce = withTail && random.Next(4) == 0,
            };
            try
            {
                for (int step = 0; step < 12; step++)
                {
                    await Quietly(world, () => Random(world, random));
                    string state = $"{world.S.LastKind}/{world.D.LastKind}";
                    seen[state] = seen.GetValueOrDefault(state) + 1;
                }

                await Settle(world);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}: {e.Message}", e);
            }
        }

        foreach (string states in expected)
        {
            Assert.Contains(states, seen.Keys);
        }
    }

    /// <summary>Calm weather: starts, then at most two commands, and exactly one guest runs on the newest data.</summary>
    private static async Task Settle(SimWorld world)
    {
        world.Mischief = 0;
        world.LinkUp = true;
        HandOverTableTests.Restart(world);
        await HandOverTableTests.Recover(world);
        HandOverResult result = await HandOverTableTests.Owner(world, link: true, CededWish.Complete);
        world.Check(result.State != HandOverState.InDoubt, $"in doubt in calm weather: {result.Message}");
        if (result.State == HandOverState.Pinned)
        {
            await HandOverTableTests.Recover(world);
            world.Complete(new SimProcess(world.D));
            result = await HandOverTableTests.Owner(world, link: true, CededWish.Complete);
            world.Check(result.State == HandOverState.Done, $"whole in calm weather: {result.Message}");
        }

        await HandOverTableTests.Recover(world);
        if (world.S.Durable.Count > 0 && world.S.LastKind is AttemptState.Owner or AttemptState.Running)
        {
            // A guest that was neither paused by us nor owed anything is the operator's to start after a power cut.
            world.S.GuestRuns = true;
        }
        else if (world.Tail && world.D.LastKind == AttemptState.Running)
        {
            // It was stopped for a return that was never begun.
            world.D.GuestRuns = true;
        }

        world.Tick("settled");
        world.Check(
            world.S.Durable.Count == 0 || (world.S.GuestRuns != world.D.GuestRuns),
            $"S is {world.S.LastKind}, D is {world.D.LastKind}: not exactly one guest runs");
    }

    private static async Task Random(SimWorld world, Random random)
    {
        world.LinkUp = random.Next(4) > 0;
        if (random.Next(3) > 0)
        {
            HandOverTableTests.Restart(world);
        }

        SimProcess s = new(world.S);
        SimProcess d = new(world.D);
        SimLink? link = random.Next(4) > 0 ? new SimLink(s, world.D, d) : null;
        string image = world.Images[random.Next(world.Images.Count)];
        switch (random.Next(world.Tail ? 11 : 8))
        {
            case 0 or 1 or 2:
                _ = await world.Migrate(s, d, random.Next(5) == 0 ? "pause-then-hang" : "pause");
                break;
            case 3:
                _ = await s.Owner.ResolveAsync(image, link, CancellationToken.None);
                break;
            case 4:
                _ = await s.Owner.ReturnAsync(image, link, false, CancellationToken.None);
                break;
            case 5:
                _ = await d.Destination.RecoverAtStartAsync();
                break;
            case 6:
                _ = await d.Owner.ReturnAsync(image, null, false, CancellationToken.None);
                break;
            case 8 or 9:
                world.Complete(d);
                break;
            case 10:
                // The export has been ended for it, and the guest with that.
                bool ran = world.D.GuestRuns;
                world.D.GuestRuns = false;
                try
                {
                    _ = await d.Owner.ReturnAsync(image, null, true, CancellationToken.None);
                }
                catch (DiskSyncException)
                {
                    world.D.GuestRuns = ran;
                    throw;
                }

                break;
            default:
                _ = await d.Owner.ResolveAsync(image, null, CancellationToken.None);
                break;
        }
    }

    private static async Task Quietly(SimWorld world, Func<Task> action)
    {
        await HandOverTableTests.Quietly(action);
        world.Tick("between commands");
    }
}
