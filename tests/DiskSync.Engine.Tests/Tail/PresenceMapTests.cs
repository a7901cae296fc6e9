using DiskSync.Codecs;
using DiskSync.Engine.Tail;
using DiskSync.Formats.Presence;
using DiskSync.TestSupport.PowerCuts;

namespace DiskSync.Engine.Tests.Tail;

/// <summary>What a presence map keeps, and how small.</summary>
public sealed class PresenceMapTests
{
    private const long Parts = 100_000;
    private readonly SimulatedMedium _medium = new(3);
    private readonly SimulatedJournalPlace _place;
    private readonly SimulatedFile _notes;
    private readonly Guid _boot = Guid.NewGuid();

    public PresenceMapTests()
    {
        _place = new SimulatedJournalPlace(_medium);
        _notes = _medium.CreateStateFile("notes");
    }

    [Fact]
    public void Runs_and_fragments_come_back_as_they_were_and_fragments_take_a_bit_each()
    {
        // The first third in one run, the second in every other part, nothing of the last.
        PresenceRange[] present = [new(0, Parts / 3), .. Enumerable.Range(0, (int)Parts / 6).Select(i => new PresenceRange((Parts / 3) + 1 + (2 * i), 1))];
        using (PresenceMap map = Create(present))
        {
            Check(map, present);
            Assert.InRange(_place.Current!.Open().Length, 12288, 12288 + (Parts / 8) + 4096);
        }

        using PresenceMap again = Open();
        Check(again, present);
    }

    [Fact]
    public void A_map_that_has_grown_is_written_anew_and_says_the_same()
    {
        List<PresenceRange> present = [];
        using (PresenceMap map = Create([]))
        {
            Random dice = new(1);
            for (int i = 0; i < 5000; i++)
            {
                long part = dice.NextInt64(Parts);
                if (!map.All(part, 1))
                {
                    map.Mark(part, 1);
                    present.Add(new PresenceRange(part, 1));
                    map.Commit(() => { });
                }
            }

            Assert.True(_place.Replacements > 1);
            map.Settle();
        }

        using PresenceMap again = Open();
        Check(again, present);
    }

    [Fact]
    public void Many_flushes_at_once_are_few_commits_and_each_covers_what_was_marked_before_it()
    {
        using PresenceMap map = Create([]);
        int flushes = 0;
        Parallel.For(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 16 }, i =>
        {
            map.Mark(i * 10, 3);
            map.Commit(() =>
            {
                Interlocked.Increment(ref flushes);
                Thread.Sleep(1);
            });
        });
        Assert.InRange(flushes, 1, 200);
        Assert.Equal(Parts - 600, map.MissingParts);
        map.Settle();
        map.Dispose();
        using PresenceMap again = Open();
        Assert.Equal(Parts - 600, again.MissingParts);
    }

    [Fact]
    public void A_flush_that_failed_is_final()
    {
        using PresenceMap map = Create([]);
        map.Mark(5, 1);
        Assert.Throws<IOException>(() => map.Commit(() => throw new IOException("once")));
        Assert.Throws<DiskSyncException>(() => map.Commit(() => { }));
        Assert.Throws<DiskSyncException>(map.Settle);
    }

    [Fact]
    public void A_map_of_another_length_is_refused()
    {
        Create([]).Dispose();
        Assert.Throws<DiskSyncException>(() => PresenceMap.Open(_place, _notes.Open(), "image", (Parts * 4096) + 1, _boot));
    }

    private static void Check(PresenceMap map, IReadOnlyCollection<PresenceRange> present)
    {
        bool[] expected = new bool[Parts];
        foreach (PresenceRange range in present)
        {
            expected.AsSpan((int)range.First, (int)range.Count).Fill(true);
        }

        Assert.Equal(expected.Count(e => !e), map.MissingParts);
        for (long part = 0; part < Parts; part++)
        {
            Assert.True(map.All(part, 1) == expected[part], $"part {part}");
        }
    }

    private PresenceMap Create(IEnumerable<PresenceRange> present) => PresenceMap.Create(
        _place, _notes.Open(), new PresenceHeader(Parts * 4096, Guid.NewGuid(), Guid.NewGuid(), 2, Hash256.Unknown, 0), present, _boot, compactAfter: 20_000);

    private PresenceMap Open() => PresenceMap.Open(_place, _notes.Open(), "image", Parts * 4096, _boot);
}
