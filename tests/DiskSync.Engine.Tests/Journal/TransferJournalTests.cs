using DiskSync.Codecs;
using DiskSync.Engine.Journal;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Journal;
using DiskSync.TestSupport.PowerCuts;

namespace DiskSync.Engine.Tests.Journal;

public class TransferJournalTests
{
    private static readonly BlockGeometry Geometry = new(256L * 65_536 * 100, 65_536);

    private readonly SimulatedMedium _medium = new(1);
    private readonly SimulatedJournalPlace _place;

    public TransferJournalTests()
    {
        _place = new SimulatedJournalPlace(_medium);
    }

    [Fact]
    public void Where_there_is_no_journal_there_is_no_damage_either()
    {
        Assert.Null(TransferJournal.Open(_place, out JournalDamage? damage));
        Assert.Null(damage);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_new_journal_claims_everything_or_nothing(bool proven)
    {
        using (Create(proven))
        {
        }

        using TransferJournal again = Open();
        Assert.Equal(Geometry, again.Header.Geometry);
        Assert.Equal(proven, again.Header.UnstoredIsZero);
        Assert.Equal(proven ? [] : [new PageClaim(0, 100, false)], again.WithdrawnPages());
        Assert.Equal([new PageClaim(0, 100, false)], again.UnreadPages());
        Assert.Equal(5UL, again.FenceNumber);
    }

    [Fact]
    public void What_was_withdrawn_and_claimed_is_known_again_after_a_power_cut()
    {
        using (TransferJournal journal = Create(proven: true))
        {
            journal.BeginSession(Guid.NewGuid());
            journal.Withdraw(10, 20);
            journal.Claim([new PageClaim(12, 3, false), new PageClaim(15, 2, true), new PageClaim(40, 10, true)]);
            journal.Withdraw(45, 1);
            journal.WriteNote(new JournalNote("golden", Hash256.Unknown));
        }

        _medium.PowerCut();
        using TransferJournal again = Open();
        Assert.Equal(6UL, again.FenceNumber);
        Assert.Equal("golden", again.Note?.BaseUsed);
        Assert.Equal([new PageClaim(10, 2, false), new PageClaim(17, 13, false), new PageClaim(45, 1, false)], again.WithdrawnPages());
        Assert.Equal(
            [new PageClaim(0, 15, false), new PageClaim(17, 23, false), new PageClaim(45, 1, false), new PageClaim(50, 50, false)],
            again.UnreadPages());
    }

    [Fact]
    public void Each_session_has_a_greater_number_than_all_before_it()
    {
        Create(proven: true).Dispose();
        for (ulong i = 1; i <= 5; i++)
        {
            using TransferJournal journal = Open();
            journal.BeginSession(Guid.NewGuid());
            Assert.Equal(5 + i, journal.FenceNumber);
            _medium.PowerCut();
        }
    }

    [Fact]
    public void Any_damage_proves_nothing_or_changes_nothing()
    {
        using (TransferJournal journal = Create(proven: true))
        {
            journal.BeginSession(Guid.NewGuid());
            journal.Withdraw(3, 4);
            journal.Claim([new PageClaim(3, 2, true)]);
        }

        using SimulatedStateFile file = _place.Current!.Open();
        byte[] one = new byte[1];
        int damaged = 0;
        for (long at = 0; at < file.Length; at += at is > 100 and < 12_200 ? 61 : 1)
        {
            file.Read(at, one);
            one[0] ^= 4;
            file.Write(at, one);
            using (TransferJournal? journal = TransferJournal.Open(_place, out JournalDamage? damage))
            {
                Assert.Equal(journal is null, damage is not null);
                damaged += journal is null ? 1 : 0;
                if (journal is not null)
                {
                    Assert.Equal([new PageClaim(5, 2, false)], journal.WithdrawnPages());
                    Assert.Equal(6UL, journal.FenceNumber);
                }
            }

            one[0] ^= 4;
            file.Write(at, one);
        }

        Assert.True(damaged > 200, $"{damaged}");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void An_append_that_fails_is_final_and_the_journal_goes_on_when_it_is_opened_again(int operation)
    {
        using TransferJournal journal = Create(proven: true);
        journal.BeginSession(Guid.NewGuid());
        _medium.FailAfter(operation);
        Assert.Throws<DiskSyncException>(() => journal.Withdraw(1, 1));
        DiskSyncException second = Assert.Throws<DiskSyncException>(() => journal.Withdraw(2, 1));
        Assert.Contains("an earlier write failed", second.Message, StringComparison.Ordinal);
        Assert.Throws<DiskSyncException>(() => journal.Claim([new PageClaim(1, 1, false)]));

        using TransferJournal again = Open();
        again.BeginSession(Guid.NewGuid());
        again.Withdraw(7, 1);
        Assert.Contains(new PageClaim(7, 1, false), again.WithdrawnPages());
    }

    [Fact]
    public void A_long_journal_is_made_smaller_and_says_the_same()
    {
        const long After = 10_000;
        using (TransferJournal journal = TransferJournal.Create(
            _place, Geometry, unstoredIsZero: true, proven: true, fence: 5, After))
        {
            journal.WriteNote(new JournalNote("golden", Hash256.Unknown));
            journal.BeginSession(Guid.NewGuid());
            for (int i = 0; i < 2000; i++)
            {
                journal.Withdraw(i % 90, 3);
                journal.Claim([new PageClaim(i % 90, 2, true)]);
                Assert.InRange(_place.Current!.Open().Length, 0, 12_288 + (3 * After));
            }
        }

        Assert.True(_place.Replacements > 5);
        _medium.PowerCut();
        using TransferJournal again = Open();
        Assert.Equal(6UL, again.FenceNumber);
        Assert.Equal("golden", again.Note?.BaseUsed);
        Assert.True(again.Header.UnstoredIsZero);

        // The last sweep ends at page 19 (2000 = 22 x 90 + 20), the one before it at page 91.
        Assert.Equal([new PageClaim(21, 1, false), new PageClaim(91, 1, false)], again.WithdrawnPages());
        Assert.Equal(
            [new PageClaim(21, 1, false), new PageClaim(91, 9, false)], again.UnreadPages());
    }

    [Fact]
    public void More_pages_than_one_record_holds_are_claimed_too()
    {
        BlockGeometry large = new(256L * 4096 * 100_000, 4096);
        using (TransferJournal journal = TransferJournal.Create(_place, large, unstoredIsZero: false, proven: false, fence: 0))
        {
            journal.BeginSession(Guid.NewGuid());
            journal.Claim([.. Enumerable.Range(0, 50_000).Select(i => new PageClaim(2 * i, 1, true))]);
        }

        using TransferJournal again = Open();
        Assert.Equal(50_000, again.WithdrawnPages().Count);
        Assert.Equal(new PageClaim(99_999, 1, false), again.WithdrawnPages()[^1]);
        Assert.Equal(50_000, again.UnreadPages().Count);
    }

    private TransferJournal Create(bool proven) =>
        TransferJournal.Create(_place, Geometry, unstoredIsZero: proven, proven, fence: 5);

    private TransferJournal Open()
    {
        TransferJournal? journal = TransferJournal.Open(_place, out JournalDamage? damage);
        Assert.Null(damage);
        return journal!;
    }
}
