using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Dirty;
using DiskSync.Engine.Progress;
using DiskSync.Engine.Tracking;
using DiskSync.Formats.BlockMap;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.Tracking;

/// <summary>A tracker is believed until it has lost a write, and not after.</summary>
public sealed class TrackedRoundsTests : IDisposable
{
    private const int Granularity = 4096;
    private const int Blocks = 1024;
    private const int Length = Blocks * Granularity;
    private readonly TempFolder _folder = new();
    private readonly BlockGeometry _geometry = new(Length, Granularity);
    private readonly List<string> _warnings = [];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_first_round_scans_and_later_ones_look_at_what_was_written()
    {
        ScriptedTracking tracking = new(Length);
        TrackedRounds rounds = new(tracking, _geometry, Hash256.Unknown, _warnings.Add);
        Assert.Equal("hash scan", rounds.Name);
        DirtyBitmap first = new(Blocks);
        tracking.Dirty.Mark(0, 1);
        rounds.MarkInto(first);
        Assert.Equal(Blocks, first.Count);
        tracking.Dirty.Mark(7 * Granularity, 1);
        DirtyBitmap second = new(Blocks);
        rounds.MarkInto(second);
        Assert.Equal(1, second.Count);
        Assert.True(second.IsDirty(7));
        Assert.Equal(tracking.Name, rounds.Name);
        Assert.Empty(_warnings);
    }

    [Fact]
    public void With_a_state_that_the_destination_holds_the_first_round_looks_only_at_what_was_written_since()
    {
        ScriptedTracking tracking = new(Length) { Baseline = Blake3.Hash([1]) };
        tracking.Since.Mark(3 * Granularity, 1);
        TrackedRounds rounds = new(tracking, _geometry, Blake3.Hash([1]), _warnings.Add);
        Assert.True(rounds.StartsFromBaseline);

        // What was written as the lending began may be in the one map or in the other.
        tracking.Dirty.Mark(5 * Granularity, 1);
        DirtyBitmap first = new(Blocks);
        rounds.MarkInto(first);
        Assert.Equal([3L, 5L], Enumerable.Range(0, Blocks).Select(b => (long)b).Where(first.IsDirty));
        Assert.Contains("since the image came here", rounds.Name, StringComparison.Ordinal);
        DirtyBitmap second = new(Blocks);
        rounds.MarkInto(second);
        Assert.Equal(0, second.Count);
        Assert.Empty(_warnings);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_destination_that_holds_another_state_or_half_of_one_costs_a_scan(bool isUnknown)
    {
        ScriptedTracking tracking = new(Length) { Baseline = isUnknown ? Hash256.Unknown : Blake3.Hash([1]) };
        TrackedRounds rounds = new(tracking, _geometry, isUnknown ? Hash256.Unknown : Blake3.Hash([2]), _warnings.Add);
        Assert.False(rounds.StartsFromBaseline);
        DirtyBitmap first = new(Blocks);
        rounds.MarkInto(first);
        Assert.Equal(Blocks, first.Count);
        Assert.Equal("hash scan", rounds.Name);
    }

    [Fact]
    public void One_that_cannot_tell_is_never_asked_again()
    {
        ScriptedTracking tracking = new(Length);
        TrackedRounds rounds = new(tracking, _geometry, Hash256.Unknown, _warnings.Add);
        rounds.MarkInto(new DirtyBitmap(Blocks));
        tracking.Fails = true;
        DirtyBitmap bitmap = new(Blocks);
        rounds.MarkInto(bitmap);
        Assert.Equal(Blocks, bitmap.Count);
        Assert.False(rounds.IsTrusted);
        Assert.Equal("hash scan", rounds.Name);
        Assert.Single(_warnings);

        tracking.Fails = false;
        DirtyBitmap again = new(Blocks);
        rounds.MarkInto(again);
        Assert.Equal(Blocks, again.Count);
        Assert.Single(_warnings);
    }

    [Fact]
    public void A_block_that_differs_and_is_reported_late_was_under_way_and_one_that_never_is_was_lost()
    {
        ScriptedTracking tracking = new(Length);
        TrackedRounds rounds = new(tracking, _geometry, Hash256.Unknown, _warnings.Add);
        rounds.MarkInto(new DirtyBitmap(Blocks));
        rounds.Note(new AuditResult(64, [5, 9]));
        rounds.MarkInto(new DirtyBitmap(Blocks));
        Assert.True(rounds.IsTrusted);
        tracking.Dirty.Mark(5 * Granularity, 1);
        DirtyBitmap bitmap = new(Blocks);
        rounds.MarkInto(bitmap);
        Assert.False(rounds.IsTrusted);
        Assert.Equal(Blocks, bitmap.Count);
        Assert.Contains($"offset {9 * Granularity}", Assert.Single(_warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_written_again_and_again_waits_until_it_is_left_alone_or_for_the_last_round()
    {
        ScriptedTracking tracking = new(Length);
        TrackedRounds rounds = new(tracking, _geometry, Hash256.Unknown, _warnings.Add);
        rounds.MarkInto(new DirtyBitmap(Blocks));
        Assert.Equal([3L, 5L, 7L], Round(3, 5, 7));
        Assert.Equal([9L], Round(3, 5, 9));
        Assert.Equal(2 * Granularity, rounds.WaitingBytes);

        // An audit that looks at one that waits finds it different, and nobody has lied.
        rounds.Note(new AuditResult(64, [5]));
        Assert.Equal([5L], Round(3));
        Assert.Equal([3L], Round());
        Assert.Equal([3L], Round(3));
        Assert.Empty(Round(3));
        Assert.Equal([11L], Round(3, 11));
        rounds.IsFenced = true;
        Assert.Equal([3L, 11L], Round(3, 11));
        Assert.Equal(0, rounds.WaitingBytes);
        Assert.Empty(_warnings);

        long[] Round(params long[] written)
        {
            foreach (long block in written)
            {
                tracking.Dirty.Mark(block * Granularity, 1);
            }

            DirtyBitmap bitmap = new(Blocks);
            rounds.MarkInto(bitmap);
            return [.. Enumerable.Range(0, Blocks).Select(b => (long)b).Where(bitmap.IsDirty)];
        }
    }

    [Fact]
    public void In_the_pause_nothing_is_under_way()
    {
        ScriptedTracking tracking = new(Length);
        TrackedRounds rounds = new(tracking, _geometry, Hash256.Unknown, _warnings.Add);
        rounds.MarkInto(new DirtyBitmap(Blocks));
        rounds.Note(new AuditResult(64, [5]));
        rounds.IsFenced = true;
        DirtyBitmap bitmap = new(Blocks);
        rounds.MarkInto(bitmap);
        Assert.Equal(Blocks, bitmap.Count);
    }

    [Theory]
    [InlineData(0.01)]
    [InlineData(0.05)]
    public void A_tracker_that_loses_a_share_of_the_writes_is_caught_as_often_as_the_audit_promises(double lost)
    {
        const int Runs = 100;
        Random random = new(4711);
        string path = _folder.Write("image", SampleImage.Noise(1, Length));
        using IBlockDevice image = BlockDevices.OpenSource(path);
        byte[] content = new byte[Granularity];
        using PagedMap held = PagedMap.CreateTemporary(_geometry, defaultIsZero: true);
        for (int block = 0; block < Blocks; block++)
        {
            image.Read((long)block * Granularity, content);
            held.Set(block, Codecs.Blake3.Hash(content));
        }

        SourceAuditor auditor = new(image, held);
        int caught = 0;
        int looked = 0;
        for (int run = 0; run < Runs; run++)
        {
            // All blocks were written; those whose write was reported have been sent, the others are what the destination has of before.
            int[] victims = [.. Enumerable.Range(0, Blocks).OrderBy(_ => random.Next()).Take((int)(Blocks * lost))];
            Codecs.Hash256[] right = [.. victims.Select(v => held.Get(v))];
            foreach (int victim in victims)
            {
                held.Set(victim, Codecs.Blake3.Hash([(byte)victim]));
            }

            AuditResult audit = auditor.Sample(CancellationToken.None);
            looked = audit.Audited;
            caught += audit.Different.Count > 0 ? 1 : 0;
            Assert.All(audit.Different, block => Assert.Contains((int)block, victims));
            Assert.Equal(victims.Order(), auditor.All(NoProgress.Instance, CancellationToken.None).Different.Select(b => (int)b));
            for (int i = 0; i < victims.Length; i++)
            {
                held.Set(victims[i], right[i]);
            }
        }

        double share = (int)(Blocks * lost) / (double)Blocks;
        double promised = 1 - Math.Pow(1 - share, looked);
        double deviation = Math.Sqrt(Runs * promised * (1 - promised));
        Assert.True(caught >= (Runs * promised) - (5 * deviation) - 1, $"{caught} of {Runs} runs; promised {promised:0.000}, {looked} blocks each");
    }

    [Fact]
    public void An_audit_of_a_true_map_finds_nothing()
    {
        string path = _folder.Write("image", new byte[Length]);
        using IBlockDevice image = BlockDevices.OpenSource(path);
        using PagedMap held = PagedMap.CreateTemporary(_geometry, defaultIsZero: true);
        Assert.Empty(new SourceAuditor(image, held).Sample(CancellationToken.None).Different);
        Assert.Empty(new SourceAuditor(image, held).All(NoProgress.Instance, CancellationToken.None).Different);
    }
}
