namespace DiskSync.TestSupport.PowerCuts;

/// <summary>One seeded run of a guest on an image with an on-demand tail.</summary>
public static class TailRun
{
    /// <summary>Runs it.</summary>
    /// <param name="seed">What everything follows from.</param>
    /// <param name="takenOut">A flush to take out, to see that this is noticed.</param>
    /// <returns>The world at its end, for its counts; disposed.</returns>
    /// <exception cref="PowerCutFailureException">Something promised was not so.</exception>
    public static TailWorld Run(int seed, FlushPoint takenOut = FlushPoint.None)
    {
        Random random = new(~seed);
        using TailWorld world = new(seed, takenOut);
        for (int step = random.Next(10, 80); step > 0; step--)
        {
            Step(world, random);
        }

        world.Finish();
        return world;
    }

    private static void Step(TailWorld world, Random random)
    {
        switch (random.Next(16))
        {
            case 0 or 1 or 2 or 3:
                world.Write();
                break;
            case 4:
                world.Zero();
                break;
            case 5 or 6 or 7:
                world.Read();
                break;
            case 8 or 9:
                world.Flush();
                break;
            case 10:
                world.Settle();
                break;
            case 11 or 12:
                // Mostly soon, so that it hits the operation that comes next.
                world.StopAfter(random.Next(1 << random.Next(1, 6)), cut: random.Next(4) > 0);
                break;
            case 13:
                world.FailAfter(random.Next(1 << random.Next(1, 6)));
                break;
            default:
                world.Stop(cut: random.Next(3) > 0);
                break;
        }
    }
}
