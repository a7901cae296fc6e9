using System.Buffers.Binary;
using DiskSync.Formats.Journal;
using DiskSync.TestSupport.Fuzz;
using FsCheck.Xunit;

namespace DiskSync.Formats.Tests.Journal;

public sealed class TransferJournalTests
{
    private static readonly byte[] File = FuzzJournal.Build(FuzzJournal.Records);

    [Fact]
    public void A_journal_has_the_bytes_of_its_golden_file_both_ways()
    {
        Golden.Check("journal.bin", File);
        Golden.Check("journal-new.bin", FuzzJournal.Build([]));
        TransferJournalState state = TransferJournalReader.Read(Golden.Read("journal.bin")).State!;
        Assert.Equal(FuzzJournal.Header, state.Header);
        Assert.Equal(7ul, state.Fence);
        Assert.Equal(new Guid("ffeeddcc-bbaa-9988-7766-554433221101"), state.SessionId);
        Assert.Equal("base.img", state.Note!.BaseUsed);
        Assert.Equal([new RegionRange(8, 2), new RegionRange(20, 1), new RegionRange(22, 3)], state.Withdrawn.Ranges);
        Assert.Equal([new RegionRange(21, 1), new RegionRange(999, 1)], state.ReadBack.Ranges);
        Assert.Equal((8ul, (long)File.Length, 0L), (state.RecordCount, state.EndOffset, state.TornBytes));
    }

    [Property(MaxTest = 200)]
    public void Every_journal_is_replayed_to_what_was_appended(int seed)
    {
        var random = new Random(seed);
        var withdrawn = new HashSet<long>();
        var readBack = new HashSet<long>();
        var file = new MemoryStream();
        TransferJournalAppender appender = TransferJournalAppender.Create(FuzzJournal.Header, out byte[] start);
        file.Write(start);
        ulong fence = 0;
        for (int i = random.Next(40); i >= 0; i--)
        {
            long[] regions = [.. Enumerable.Range(0, random.Next(1, 30)).Select(_ => random.NextInt64(60)).Distinct().Order()];
            RegionRange[] ranges = [.. regions.Select(r => new RegionRange(r, 1))];
            switch (random.Next(4))
            {
                case 0:
                    fence += (ulong)random.Next(1, 5);
                    FuzzJournal.Put(file, appender.Append(new JournalSession(fence, Guid.NewGuid())));
                    break;
                case 1:
                    FuzzJournal.Put(file, appender.Append(new JournalWithdraw(ranges)));
                    withdrawn.UnionWith(regions);
                    readBack.ExceptWith(regions);
                    break;
                default:
                    bool back = random.Next(2) == 0;
                    FuzzJournal.Put(file, appender.Append(new JournalCheckpoint(ranges, back)));
                    withdrawn.ExceptWith(regions);
                    readBack.UnionWith(back ? regions : []);
                    break;
            }

            if (random.Next(5) == 0)
            {
                // A restart: what was read is what is gone on with.
                appender = new TransferJournalAppender(TransferJournalReader.Read(file.ToArray()).State!);
            }
        }

        TransferJournalState state = TransferJournalReader.Read(file.ToArray()).State!;
        Assert.Equal(fence, state.Fence);
        Assert.Equal(withdrawn.Order(), Expand(state.Withdrawn));
        Assert.Equal(readBack.Order(), Expand(state.ReadBack));
        Assert.Equal(withdrawn.Order(), Expand(appender.State.Withdrawn));
    }

    [Fact]
    public void An_acknowledged_journal_cut_off_at_any_byte_proves_nothing()
    {
        for (int length = 0; length < File.Length; length++)
        {
            Assert.False(TransferJournalReader.Read(File.AsSpan(0, length)).IsIntact, $"{length} bytes");
        }
    }

    [Fact]
    public void A_journal_with_any_bit_flipped_proves_the_same_or_nothing()
    {
        string intact = Describe(TransferJournalReader.Read(File).State!);
        byte[] file = (byte[])File.Clone();

        // The padding of three pages is the same byte again and again: each of the others, some of those.
        IEnumerable<int> bytes = Enumerable.Range(0, file.Length).Where(i => i >= 12288 || i % 4096 < 96 || i % 61 == 0);
        foreach (int bit in bytes.SelectMany(i => Enumerable.Range(i * 8, 8)))
        {
            file[bit / 8] ^= (byte)(1 << (bit % 8));
            TransferJournalResult result = TransferJournalReader.Read(file);
            Assert.True(!result.IsIntact || Describe(result.State) == intact, $"bit {bit}");
            file[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void One_damaged_head_slot_is_made_up_for_by_the_other()
    {
        string intact = Describe(TransferJournalReader.Read(File).State!);
        foreach (int slot in (int[])[4096, 8192])
        {
            byte[] file = (byte[])File.Clone();
            file.AsSpan(slot, 36).Fill(0xEE);
            Assert.Equal(intact, Describe(TransferJournalReader.Read(file).State!));
            file.AsSpan(4096, 36).Fill(0xEE);
            file.AsSpan(8192, 36).Fill(0xEE);
            Assert.Equal(JournalDamageKind.HeadSlots, TransferJournalReader.Read(file).Damage!.Kind);
        }
    }

    [Fact]
    public void Every_cut_inside_an_append_leaves_the_state_before_or_after_it_or_none()
    {
        var file = new MemoryStream();
        TransferJournalAppender appender = TransferJournalAppender.Create(FuzzJournal.Header, out byte[] start);
        file.Write(start);
        foreach (JournalRecord record in FuzzJournal.Records)
        {
            byte[] before = file.ToArray();
            string stateBefore = Describe(TransferJournalReader.Read(before).State!);
            JournalAppend append = appender.Append(record);
            FuzzJournal.Put(file, append);
            string stateAfter = Describe(TransferJournalReader.Read(file.ToArray()).State!);
            for (int written = 0; written <= append.Record.Length; written++)
            {
                // The record is there in part, the slot not at all, torn, or whole.
                byte[] torn = [.. before, .. append.Record.Span[..written]];
                string state = Describe(TransferJournalReader.Read(torn).State!);
                Assert.Equal(written == append.Record.Length ? stateAfter : stateBefore, state);
                append.Slot.Span[..20].CopyTo(torn.AsSpan((int)append.SlotOffset));
                Assert.Equal(state, Describe(TransferJournalReader.Read(torn).State!));
                append.Slot.Span.CopyTo(torn.AsSpan((int)append.SlotOffset));
                TransferJournalResult result = TransferJournalReader.Read(torn);
                Assert.Equal(written == append.Record.Length, result.IsIntact);
            }
        }
    }

    [Fact]
    public void A_torn_tail_is_counted_and_gone_over()
    {
        byte[] torn = [.. File, 1, 2, 3];
        TransferJournalState state = TransferJournalReader.Read(torn).State!;
        Assert.Equal((3L, (long)File.Length), (state.TornBytes, state.EndOffset));
        FuzzJournal.Run(torn);
    }

    [Fact]
    public void Records_of_an_older_journal_in_the_same_place_do_not_fit()
    {
        TransferJournalAppender.Create(FuzzJournal.Header with { Id = Guid.NewGuid() }, out byte[] file);
        TransferJournalState state = TransferJournalReader.Read([.. file, .. File[12288..]]).State!;
        Assert.Equal((0ul, File.Length - 12288L), (state.RecordCount, state.TornBytes));
    }

    [Fact]
    public void What_is_no_journal_is_said()
    {
        byte[] other = (byte[])File.Clone();
        BinaryPrimitives.WriteUInt16LittleEndian(other.AsSpan(8), 77);
        JournalDamage damage = TransferJournalReader.Read(other).Damage!;
        Assert.Equal(JournalDamageKind.OtherVersion, damage.Kind);
        Assert.Contains("version 77", damage.Explanation, StringComparison.Ordinal);
        Assert.Equal(JournalDamageKind.Empty, TransferJournalReader.Read([]).Damage!.Kind);
        Assert.Equal(JournalDamageKind.NotAJournal, TransferJournalReader.Read("QFI"u8).Damage!.Kind);
        Assert.Equal(JournalDamageKind.CutOff, TransferJournalReader.Read(File.AsSpan(0, 5000)).Damage!.Kind);
        Assert.Equal(JournalDamageKind.RecordsMissing, TransferJournalReader.Read(File.AsSpan(0, File.Length - 1)).Damage!.Kind);
    }

    [Fact]
    public void A_record_that_breaks_a_rule_is_not_written()
    {
        TransferJournalAppender appender = TransferJournalAppender.Create(FuzzJournal.Header, out _);
        appender.Append(new JournalSession(3, Guid.Empty));
        JournalRecord[] bad =
        [
            new JournalSession(3, Guid.Empty),
            new JournalWithdraw([new RegionRange(999, 2)]),
            new JournalWithdraw([new RegionRange(5, 0)]),
            new JournalWithdraw([new RegionRange(5, 2), new RegionRange(6, 1)]),
            new JournalNote(new string('x', 5000), default),
        ];
        Assert.All(bad, record => Assert.ThrowsAny<ArgumentException>(() => appender.Append(record)));
        Assert.Equal(1ul, appender.State.RecordCount);
        Assert.Equal(12288 + 13 + 24 + 16, appender.State.EndOffset);
    }

    [Fact]
    public void The_longest_record_is_read_and_a_longer_one_is_not_made_room_for()
    {
        var header = FuzzJournal.Header with { Geometry = new Formats.BlockMap.BlockGeometry(1L << 45, 4096) };
        RegionRange[] ranges = [.. Enumerable.Range(0, JournalRecord.MaxRanges).Select(i => new RegionRange(i * 2, 1))];
        TransferJournalAppender appender = TransferJournalAppender.Create(header, out byte[] start);
        var file = new MemoryStream();
        file.Write(start);
        FuzzJournal.Put(file, appender.Append(new JournalWithdraw(ranges)));
        Assert.Equal(JournalRecord.MaxRanges, TransferJournalReader.Read(file.ToArray()).State!.Withdrawn.Ranges.Count);
        byte[] bad = file.ToArray()[..13000];
        foreach (uint length in (uint[])[524_333, 524_334, uint.MaxValue])
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bad.AsSpan(12288), length);
            Assert.InRange(Allocation.Of(() => Assert.False(TransferJournalReader.Read(bad).IsIntact)), 0, 64 << 10);
        }
    }

    private static IEnumerable<long> Expand(RegionSet set) =>
        set.Ranges.SelectMany(r => Enumerable.Range(0, (int)r.Count).Select(i => r.First + i));

    private static string Describe(TransferJournalState state) =>
        $"{state.Header} {state.Fence} {state.SessionId} {state.Note} {string.Join(',', state.Withdrawn.Ranges)} {string.Join(',', state.ReadBack.Ranges)} {state.RecordCount} {state.EndOffset}";
}
