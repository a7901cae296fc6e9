namespace DiskSync.TestSupport.PowerCuts;

/// <summary>One seeded run: a copy with everything that may go wrong, until source and destination are identical.</summary>
public static class PowerCutRun
{
    /// <summary>After how many bytes of records journals are made smaller here: few, so that it happens now and then.</summary>
    public const long CompactAfter = 500;

    /// <summary>Runs it.</summary>
    /// <param name="seed">What everything follows from.</param>
    /// <param name="takenOut">A flush to take out, to see that this is noticed.</param>
    /// <returns>What happened.</returns>
    /// <exception cref="PowerCutFailureException">Something promised was not so.</exception>
    public static PowerCutCounts Run(int seed, FlushPoint takenOut = FlushPoint.None)
    {
        Random random = new(~seed);
        using PowerCutWorld world = new(seed, takenOut);
        world.WriteSource();
        for (int step = random.Next(10, 50); step > 0; step--)
        {
            Step(world, random);
        }

        world.Finish();
        return world.Counts;
    }

    private static void Step(PowerCutWorld world, Random random)
    {
        switch (random.Next(16))
        {
            case 0 or 1 or 2:
                world.WriteSource();
                break;
            case 3 or 4:
                world.Round(1);
                break;
            case 5:
                world.Round(random.NextDouble());
                break;
            case 6 or 7:
                world.Checkpoint();
                break;
            case 8:
                world.ReadBack();
                break;
            case 9 or 10 or 11:
                // Mostly soon, so that it hits the operation that comes next.
                world.StopAfter(random.Next(1 << random.Next(1, 7)), cut: random.Next(5) > 0);
                break;
            case 12 or 13:
                world.ReadBackEarly();
                break;
            case 14:
                world.FailAfter(random.Next(1 << random.Next(1, 7)));
                break;
            default:
                world.Stop(cut: random.Next(4) > 0);
                break;
        }
    }
}
