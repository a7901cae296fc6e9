using System.Diagnostics;

namespace DiskSync.TestSupport.Fuzz;

/// <summary>Runs a target on its seeds and on mutations of them. The same seed gives the same inputs.</summary>
public static class FuzzRunner
{
    /// <summary>Runs until a count, a time or a failure is reached.</summary>
    /// <param name="target">The decoder.</param>
    /// <param name="seed">Seeds the mutations.</param>
    /// <param name="iterations">The most inputs.</param>
    /// <param name="limit">The longest time.</param>
    /// <param name="failure">The first failure, or null.</param>
    /// <returns>How many inputs were run.</returns>
    public static long Run(FuzzTarget target, int seed, long iterations, TimeSpan limit, out FuzzFailure? failure)
    {
        ArgumentNullException.ThrowIfNull(target);
        IReadOnlyList<byte[]> seeds = target.Seeds();
        var random = new Random(seed);
        var mutator = new FuzzMutator(random, seeds);
        var clock = Stopwatch.StartNew();
        long done = 0;
        for (; done < iterations && clock.Elapsed < limit; done++)
        {
            byte[] input = done < seeds.Count ? seeds[(int)done] : mutator.Next();
            if (done >= seeds.Count && random.Next(4) != 0)
            {
                target.Repair?.Invoke(input);
            }

            failure = Try(target, input, done);
            if (failure is not null)
            {
                return done + 1;
            }
        }

        failure = null;
        return done;
    }

    /// <summary>Runs one input.</summary>
    /// <returns>The failure, or null.</returns>
    public static FuzzFailure? Try(FuzzTarget target, byte[] input, long iteration = 0)
    {
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(input);
        try
        {
            target.Run(input);
            return null;
        }
        catch (Exception e)
        {
            return new FuzzFailure(input, e, iteration);
        }
    }
}
