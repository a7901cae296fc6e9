using DiskSync.Formats.Presence;
using DiskSync.TestSupport.Fuzz;

namespace DiskSync.Formats.Tests.Presence;

public sealed class PresenceTests
{
    private static readonly PresenceRange[] All =
        [new(0, 3), new(7, 1), new(10_000, 241), new(64, 1), new(66, 1), new(69, 1), new(71, 1), new(76, 1), new(100, 50)];

    [Fact]
    public void A_map_has_the_bytes_of_its_golden_file_both_ways()
    {
        Golden.Check("presence.bin", FuzzPresence.Build());
        (PresenceState state, List<PresenceRange> ranges) = Read(Golden.Read("presence.bin"));
        Assert.Equal(FuzzPresence.Header, state.Header);
        Assert.Equal(All, ranges);
        Assert.Equal(3ul, state.RecordCount);
    }

    [Fact]
    public void A_map_cut_off_anywhere_is_refused_or_has_lost_no_record_that_a_slot_counts()
    {
        byte[] whole = FuzzPresence.Build();
        Damage.CutAnywhere([.. whole], bytes =>
        {
            // A byte too many is an append that was torn.
            if (bytes.Length <= whole.Length || Read(bytes).Ranges.Count != All.Length)
            {
                Read(bytes);
            }
            else
            {
                throw new FormatViolationException("test", 0, "a torn append", "that it changes nothing");
            }
        });

        byte[] uncounted = FuzzPresence.Build(countsAll: false);
        Assert.Equal(All.Length - 1, Read(uncounted[..^1]).Ranges.Count);
        Assert.Throws<FormatViolationException>(() => Read(uncounted[..^60]));
    }

    [Fact]
    public void Any_flipped_bit_is_refused_or_changes_nothing()
    {
        byte[] file = FuzzPresence.Build();
        for (int bit = 0; bit < file.Length * 8; bit++)
        {
            file[bit / 8] ^= (byte)(1 << (bit % 8));
            try
            {
                Assert.Equal(All, Read(file).Ranges);
            }
            catch (FormatViolationException)
            {
                // Refused.
            }

            file[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void A_map_of_another_version_is_refused_by_name() => Damage.OtherVersion(FuzzPresence.Build(), 8, bytes => Read(bytes));

    [Fact]
    public void What_a_reader_would_refuse_is_not_written()
    {
        PresenceAppender appender = PresenceAppender.Create(FuzzPresence.Header, out _);
        long parts = FuzzPresence.Header.PartCount;
        Assert.Throws<ArgumentException>(() => appender.Append([]));
        Assert.Throws<ArgumentException>(() => appender.Append([new(0, 0)]));
        Assert.Throws<ArgumentException>(() => appender.Append([new(5, 1), new(5, 1)]));
        Assert.Throws<ArgumentException>(() => appender.Append([new(parts - 1, 2)]));
        Assert.Throws<ArgumentException>(() => appender.Append([new(parts - 1, 1), new(parts, 1)]));
        Assert.Throws<ArgumentException>(() => appender.AppendBits(0, 9, [0, 2]));
        Assert.Throws<ArgumentException>(() => appender.AppendBits(parts - 1, 2, [0]));
        Assert.Equal(12288, appender.EndOffset);
    }

    [Fact]
    public void Notes_have_the_bytes_of_their_golden_file_and_end_where_they_are_not_right()
    {
        Golden.Check("presence-notes.bin", FuzzPresence.BuildNotes());
        byte[] notes = Golden.Read("presence-notes.bin");
        Assert.Equal([new(5, 2), new(10_000, 1)], ReadNotes(notes));
        for (int length = 0; length < notes.Length; length++)
        {
            Assert.Equal(length < 64 ? 0 : 1, ReadNotes(notes[..length]).Count);
        }

        for (int bit = 0; bit < notes.Length * 8; bit++)
        {
            notes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Equal(bit / 8 < 64 ? 0 : 1, ReadNotes(notes).Count);
            notes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void A_count_has_the_bytes_of_its_golden_file_and_survives_the_loss_of_any_slot()
    {
        Golden.Check("presence-written.bin", FuzzWritten.Build());
        byte[] file = Golden.Read("presence-written.bin");
        Assert.Equal(
            new WrittenCount(70 << 20, 128 << 20, 1_764_000_000_000, 1_764_000_070_000), WrittenCodec.Decode(file, FuzzWritten.Attempt));
        for (int bit = 0; bit < file.Length * 8; bit++)
        {
            file[bit / 8] ^= (byte)(1 << (bit % 8));
            WrittenCount count = WrittenCodec.Decode(file, FuzzWritten.Attempt)!.Value;
            Assert.InRange(count.Bytes, 64 << 20, 70 << 20);
            Assert.Equal(128 << 20, count.Most);
            file[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Assert.Null(WrittenCodec.Decode(file, Guid.Empty));
        Assert.Null(WrittenCodec.Decode(file.AsSpan(0, WrittenCodec.SlotSize - 1), FuzzWritten.Attempt));
    }

    private static List<PresenceRange> ReadNotes(byte[] notes)
    {
        List<PresenceRange> ranges = [];
        PresenceNotes.Read(new MemoryStream(notes), FuzzPresence.NotesHeader(), FuzzPresence.Header.PartCount, ranges.Add);
        return ranges;
    }

    private static (PresenceState State, List<PresenceRange> Ranges) Read(byte[] file)
    {
        List<PresenceRange> ranges = [];
        return (PresenceReader.Read(new MemoryStream(file), _ => ranges.Add), ranges);
    }
}
