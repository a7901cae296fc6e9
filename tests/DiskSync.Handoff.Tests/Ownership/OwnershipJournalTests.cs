using DiskSync.Codecs;
using DiskSync.Engine;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Handoff.Ownership;
using DiskSync.TestSupport;
using Microsoft.Data.Sqlite;

namespace DiskSync.Handoff.Tests.Ownership;

public class OwnershipJournalTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 3, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_disk_that_is_full_after_the_pause_still_takes_the_records_that_let_the_guest_go()
    {
        using ScratchMount disk = ScratchMount.Create(FileSystemKind.Tmpfs, 1 << 20);
        OwnershipJournal journal = new(disk.File("state"));
        journal.Reserve();
        journal.Append(_ => [Entry("/a", AttemptState.Paused, 2)]);
        Fill(disk.File("filler"));
        for (ulong epoch = 3; epoch < 40; epoch++)
        {
            journal.Append(_ => [Entry("/a", AttemptState.CalledOff, epoch), Entry("/a", AttemptState.Owner, epoch)]);
        }

        Assert.Equal(75, journal.Read().Entries.Count);
        Assert.False(File.Exists(disk.File("state/ownership.db.reserve")), "the disk was not full");
        Fill(disk.File("filler"));
        Assert.Equal(FailureKind.OwnershipInDoubt, Assert.Throws<DiskSyncException>(journal.Reserve).Kind);
    }

    private static void Fill(string path)
    {
        using FileStream file = new(path, FileMode.Append);
        try
        {
            while (true)
            {
                file.Write(new byte[4096]);
                file.Flush();
            }
        }
        catch (IOException)
        {
            // Full, which is what was wanted.
        }
    }

    [Fact]
    public void A_journal_that_is_not_there_is_empty_and_reading_does_not_make_it()
    {
        using TempFolder folder = new();
        OwnershipJournal journal = new(folder.File("state"));

        Assert.Empty(journal.Read().Entries);
        Assert.False(Directory.Exists(folder.File("state")));
    }

    [Fact]
    public void What_was_appended_is_read_back_by_another_process_in_order_and_whole()
    {
        using TempFolder folder = new();
        OwnershipEntry[] entries = [Entry("/a", AttemptState.Paused, 2), Entry("/b", AttemptState.Paused, 2)];
        new OwnershipJournal(folder.Path).Append(_ => entries);
        new OwnershipJournal(folder.Path).Append(view => [view.Last("/b")!.Next(AttemptState.Ceded, 2, Now)]);

        OwnershipView view = new OwnershipJournal(folder.Path).Read();

        Assert.Equal(3, view.Entries.Count);
        Assert.Equal(AttemptState.Paused, view.Last("/a")!.Kind);
        Assert.Equal(AttemptState.Ceded, view.Last("/b")!.Kind);
        OwnershipEntry first = view.Entries[0];
        Assert.Equal(entries[0] with { Images = first.Images }, first);
        Assert.Equal(entries[0].Images, first.Images);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder.File("ownership.db")));
    }

    [Fact]
    public void What_the_decision_throws_passes_through_and_nothing_is_written()
    {
        using TempFolder folder = new();
        OwnershipJournal journal = new(folder.Path);
        journal.Append(_ => [Entry("/a", AttemptState.Owner, 1)]);

        Assert.Throws<DiskSyncException>(() => journal.Append(_ => throw new DiskSyncException(FailureKind.Preflight, "no")));
        Assert.Single(journal.Read().Entries);
    }

    [Fact]
    public void The_database_flushes_every_commit_and_its_folder_entry()
    {
        using TempFolder folder = new();
        new OwnershipJournal(folder.Path).Append(_ => [Entry("/a", AttemptState.Owner, 1)]);

        using OwnershipDatabase database = OwnershipDatabase.Open(folder.File("ownership.db"), TimeSpan.FromSeconds(1));
        Assert.Equal(("delete", 3L), database.Durability());
    }

    [Fact]
    public async Task Many_writers_at_once_lose_no_entry_and_break_no_chain()
    {
        using TempFolder folder = new();
        await Task.WhenAll(Enumerable.Range(0, 6).Select(writer => Task.Run(() =>
        {
            OwnershipJournal journal = new(folder.File("state"));
            for (ulong i = 1; i <= 8; i++)
            {
                journal.Append(view => [Entry($"/{writer}", AttemptState.Owner, (ulong)view.Entries.Count + 1)]);
            }
        })));

        OwnershipView view = new OwnershipJournal(folder.File("state")).Read();
        Assert.Equal(Enumerable.Range(1, 48).Select(i => (ulong)i), view.Entries.Select(e => e.Epoch));
    }

    [Fact]
    public void A_journal_cut_off_anywhere_is_damaged_or_reads_as_it_was()
    {
        using TempFolder folder = new();
        byte[] whole = WriteSample(folder);
        for (int length = 0; length < whole.Length; length += 64)
        {
            AssertNeverPermitsMore(folder, whole[..length], $"cut off at {length}");
        }
    }

    /// <summary>Every byte of the file, each with one bit flipped; the bit moves on from byte to byte.</summary>
    [Fact]
    public void A_journal_with_any_bit_flipped_is_damaged_or_reads_as_it_was()
    {
        using TempFolder folder = new();
        byte[] whole = WriteSample(folder);
        int damaged = 0;
        for (int position = 0; position < whole.Length; position++)
        {
            byte[] flipped = [.. whole];
            flipped[position] ^= (byte)(1 << (position * 5 % 8));
            damaged += AssertNeverPermitsMore(folder, flipped, $"bit {position * 5 % 8} of byte {position}") ? 1 : 0;
        }

        Assert.True(damaged > whole.Length / 4, $"only {damaged} of {whole.Length} flips were noticed at all");
    }

    [Fact]
    public void A_journal_of_which_a_page_is_an_older_version_is_damaged_or_reads_as_it_was()
    {
        using TempFolder folder = new();
        WriteSample(folder);
        byte[] before = File.ReadAllBytes(folder.File("ownership.db"));
        new OwnershipJournal(folder.Path).Append(view => [view.Last("/images/a.img")!.Next(AttemptState.Ceded, 4, Now)]);
        byte[] after = File.ReadAllBytes(folder.File("ownership.db"));
        for (int page = 0; page < after.Length; page += 512)
        {
            byte[] mixed = [.. after];
            before.AsSpan(page, Math.Min(512, Math.Max(0, before.Length - page))).CopyTo(mixed.AsSpan(page));
            AssertNeverPermitsMore(folder, mixed, $"old page at {page}", after);
        }
    }

    [Theory]
    [InlineData("DELETE FROM record WHERE seq=(SELECT max(seq) FROM record)")]
    [InlineData("DELETE FROM record WHERE seq=2")]
    [InlineData("DELETE FROM record")]
    [InlineData("DELETE FROM head")]
    [InlineData("UPDATE head SET seq=seq-1")]
    [InlineData("UPDATE head SET recreated=1")]
    [InlineData("DELETE FROM record WHERE seq=4; UPDATE head SET seq=2, chain=(SELECT substr(body, -32) FROM record WHERE seq=2)")]
    [InlineData("UPDATE record SET image='/images/b.img' WHERE seq=1")]
    [InlineData("UPDATE record SET body=(SELECT body FROM record WHERE seq=1) WHERE seq=3")]
    [InlineData("UPDATE record SET seq=99 WHERE seq=3")]
    [InlineData("DROP TABLE record")]
    public void A_lost_or_changed_row_is_damage(string sql)
    {
        using TempFolder folder = new();
        WriteSample(folder);
        using (SqliteConnection connection = new($"Data Source={folder.File("ownership.db")};Pooling=False"))
        {
            connection.Open();
            using SqliteCommand command = connection.CreateCommand();
            command.CommandText = sql;
            command.ExecuteNonQuery();
        }

        JournalDamagedException e = Assert.Throws<JournalDamagedException>(() => new OwnershipJournal(folder.Path).Read());
        Assert.Equal(FailureKind.OwnershipInDoubt, e.Kind);
        Assert.Throws<JournalDamagedException>(() => new OwnershipJournal(folder.Path).Append(_ => [Entry("/a", AttemptState.Owner, 9)]));
    }

    [Fact]
    public void A_damaged_journal_is_put_aside_only_when_damaged_and_the_new_one_adopts_nothing_unseen()
    {
        using TempFolder folder = new();
        byte[] whole = WriteSample(folder);
        OwnershipJournal journal = new(folder.Path);
        Assert.Null(journal.PutDamagedAside(Now));

        File.WriteAllBytes(folder.File("ownership.db"), whole[..700]);
        string? aside = journal.PutDamagedAside(Now);

        Assert.Equal(folder.File("ownership.db.damaged-20261123T030000Z"), aside);
        Assert.Equal(700, new FileInfo(aside!).Length);
        Assert.True(journal.Read().Recreated);
        Assert.Equal(
            OwnershipVerdict.InDoubt,
            OwnershipJudge.Judge(journal.Read(), "/images/new.img", new ImageWitness(0, 0, SealDamaged: false, Exists: true)).Verdict);
    }

    [Fact]
    public void A_journal_of_which_only_the_rollback_file_is_left_is_damaged()
    {
        using TempFolder folder = new();
        File.WriteAllText(folder.File("ownership.db-journal"), "x");
        Assert.Throws<JournalDamagedException>(() => new OwnershipJournal(folder.Path).Read());
    }

    private static byte[] WriteSample(TempFolder folder)
    {
        OwnershipJournal journal = new(folder.Path);
        Guid attempt = Guid.NewGuid();
        journal.Append(_ => [Entry("/images/a.img", AttemptState.Owner, 1), Entry("/images/b.img", AttemptState.Owner, 1)]);
        journal.Append(_ => [Entry("/images/a.img", AttemptState.Paused, 2) with { Attempt = attempt }]);
        journal.Append(_ => [Entry("/images/a.img", AttemptState.Ceded, 2) with { Attempt = attempt }]);
        journal.Append(_ => [Entry("/images/c.img", AttemptState.Prepared, 7)]);
        journal.Append(_ => [Entry("/images/c.img", AttemptState.Refused, 7)]);
        return File.ReadAllBytes(folder.File("ownership.db"));
    }

    /// <summary>The bytes either are refused or read exactly as the intact journal; true where they were refused.</summary>
    private static bool AssertNeverPermitsMore(TempFolder folder, byte[] bytes, string what, byte[]? intact = null)
    {
        using TempFolder copy = new();
        File.WriteAllBytes(copy.File("ownership.db"), bytes);
        OwnershipView view;
        try
        {
            view = new OwnershipJournal(copy.Path).Read();
        }
        catch (DiskSyncException e)
        {
            Assert.Equal(FailureKind.OwnershipInDoubt, e.Kind);
            return true;
        }

        OwnershipView whole = new OwnershipJournal(folder.Path).Read();
        Assert.True(
            whole.Entries.Select(Text).SequenceEqual(view.Entries.Select(Text)) && whole.Recreated == view.Recreated,
            $"{what}: reads as another journal");
        return false;

        static string Text(OwnershipEntry e) => $"{e} {string.Join(',', e.Images)}".Replace(e.Images.ToString()!, string.Empty, StringComparison.Ordinal);
    }

    private static OwnershipEntry Entry(string image, AttemptState kind, ulong epoch) =>
        new(image, Guid.Empty, epoch, kind, Blake3.Hash("root"u8), Now, "host:/dir", "virsh suspend vm", [image]);
}
