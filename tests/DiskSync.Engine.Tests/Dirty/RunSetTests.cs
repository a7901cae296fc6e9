using DiskSync.Engine.Dirty;

namespace DiskSync.Engine.Tests.Dirty;

public class RunSetTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Random_changes_agree_with_a_plain_set(int seed)
    {
        Random random = new(seed);
        RunSet runs = new();
        HashSet<long> plain = [];
        for (int step = 0; step < 2000; step++)
        {
            long first = random.Next(300);
            long count = random.Next(30);
            bool add = random.Next(2) == 0;
            if (add)
            {
                runs.Add(first, count);
            }
            else
            {
                runs.Remove(first, count);
            }

            for (long block = first; block < first + count; block++)
            {
                _ = add ? plain.Add(block) : plain.Remove(block);
            }

            Check(runs, plain, random.Next(330));
        }
    }

    [Fact]
    public void Runs_that_touch_become_one()
    {
        RunSet runs = new();
        runs.Add(0, 5);
        runs.Add(10, 5);
        runs.Add(5, 5);
        Assert.Equal([new BlockRun(0, 15)], runs.Runs);
    }

    private static void Check(RunSet runs, HashSet<long> plain, long probe)
    {
        Assert.Equal(plain.Count, runs.Count);
        Assert.Equal(plain.Order(), runs.Runs.SelectMany(run => Enumerable.Range((int)run.First, (int)run.Count)).Select(b => (long)b));
        Assert.All(runs.Runs.Zip(runs.Runs.Skip(1)), pair => Assert.True(pair.First.End < pair.Second.First));
        Assert.Equal(plain.Contains(probe), runs.Contains(probe));
        Assert.Equal(plain.Where(b => b >= probe).DefaultIfEmpty(long.MaxValue).Min(), runs.NextFrom(probe));
        Assert.Equal(Enumerable.Range((int)probe, 5).All(b => plain.Contains(b)), runs.ContainsAll(probe, 5));
    }
}
