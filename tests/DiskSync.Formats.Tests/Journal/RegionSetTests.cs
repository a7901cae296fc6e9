using DiskSync.Formats.Journal;
using FsCheck.Xunit;

namespace DiskSync.Formats.Tests.Journal;

public sealed class RegionSetTests
{
    [Property(MaxTest = 300)]
    public void A_region_set_is_a_set(int seed)
    {
        var random = new Random(seed);
        var set = new RegionSet();
        var expected = new HashSet<long>();
        for (int i = 0; i < 60; i++)
        {
            var range = new RegionRange(random.Next(100), random.Next(1, 12));
            IEnumerable<long> regions = Enumerable.Range((int)range.First, (int)range.Count).Select(r => (long)r);
            if (random.Next(2) == 0)
            {
                set.Add(range);
                expected.UnionWith(regions);
            }
            else
            {
                set.Remove(range);
                expected.ExceptWith(regions);
            }

            Assert.Equal(expected.Count, set.Count);
            Assert.All(Enumerable.Range(0, 115), r => Assert.Equal(expected.Contains(r), set.Contains(r)));
            for (int k = 1; k < set.Ranges.Count; k++)
            {
                Assert.True(set.Ranges[k].First > set.Ranges[k - 1].First + set.Ranges[k - 1].Count);
            }
        }
    }
}
