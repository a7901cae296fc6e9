using DiskSync.TestSupport;

namespace DiskSync.Linux.Tests;

public sealed class LinuxFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_file_is_alone_until_somebody_else_opens_it_even_for_reading()
    {
        using TempFolder folder = new();
        string path = folder.Write("f", [1]);
        using LinuxFile file = LinuxFile.Open(path, LinuxOpen.ReadWrite);
        Assert.True(file.TryBeAlone());
        using (LinuxFile.Open(path, LinuxOpen.ReadOnly))
        {
            Assert.False(file.TryBeAlone());
        }

        Assert.True(file.TryBeAlone());
    }

    [Fact]
    public void What_is_written_is_read_back_and_a_read_ends_with_the_file()
    {
        byte[] data = Samples.Random(100_000, 1);
        using LinuxFile file = Create("a");
        file.WriteAt(data, 12_345);
        file.DataSync();
        file.Sync();

        byte[] read = new byte[200_000];
        Assert.Equal(112_345, file.ReadAt(read, 0));
        Assert.Equal(data, read.AsSpan(12_345, data.Length));
        Assert.Equal(-1, read.AsSpan(0, 12_345).IndexOfAnyExcept((byte)0));
        Assert.Equal(0, file.ReadAt(read, 112_345));
        Assert.Equal(112_345, file.Length());
        EndOfStreamException e = Assert.Throws<EndOfStreamException>(() => file.ReadExactlyAt(read, 0));
        Assert.Contains("ends at offset 112345", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Exclusive_creation_refuses_an_existing_name_and_says_which()
    {
        string path = _folder.Write("here", [1]);
        LinuxException e = Assert.Throws<LinuxException>(
            () => LinuxFile.Open(path, LinuxOpen.ReadWrite | LinuxOpen.Create | LinuxOpen.Exclusive));
        Assert.Equal(Errno.EEXIST, e.Errno);
        Assert.Equal($"create {path}: File exists (EEXIST)", e.Message);
    }

    [Fact]
    public void A_missing_file_is_told_with_its_name()
    {
        LinuxException e = Assert.Throws<LinuxException>(
            () => LinuxFile.Open(_folder.File("none"), LinuxOpen.ReadOnly));
        Assert.Equal(Errno.ENOENT, e.Errno);
        Assert.Equal($"open {_folder.File("none")}: No such file or directory (ENOENT)", e.Message);
    }

    [Fact]
    public void A_path_with_a_zero_byte_is_refused_and_never_read_in_part()
    {
        string path = _folder.Write("victim", [1]);
        LinuxException e = Assert.Throws<LinuxException>(() => LinuxFile.Open(path + "\0.txt", LinuxOpen.ReadOnly));
        Assert.Equal(Errno.EINVAL, e.Errno);
        Assert.Throws<LinuxException>(() => FileSystemCalls.Unlink(path + "\0.txt"));
        Assert.True(File.Exists(path));
    }

    [Fact]
    public void Opening_a_fifo_does_not_wait_for_its_other_end()
    {
        string path = _folder.File("fifo");
        Tool.Run("coreutils", "mkfifo", path);
        using var file = LinuxFile.Open(path, LinuxOpen.ReadOnly);
        Assert.Equal(FileKind.Other, file.Stat().Kind);
    }

    [Fact]
    public void No_follow_refuses_a_symbolic_link()
    {
        string target = _folder.Write("target", [1]);
        File.CreateSymbolicLink(_folder.File("link"), target);
        using (LinuxFile.Open(_folder.File("link"), LinuxOpen.ReadOnly))
        {
        }

        LinuxException e = Assert.Throws<LinuxException>(
            () => LinuxFile.Open(_folder.File("link"), LinuxOpen.ReadOnly | LinuxOpen.NoFollow));
        Assert.Equal(Errno.ELOOP, e.Errno);
    }

    [Fact]
    public void A_new_file_belongs_to_its_owner_alone()
    {
        using LinuxFile file = Create("private");
        Assert.Equal(LinuxFile.OwnerOnly, file.Stat().Mode);
        file.ChangeMode(UnixFileMode.UserRead | UnixFileMode.GroupRead);
        file.ChangeOwner(uint.MaxValue, uint.MaxValue);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.GroupRead, file.Stat().Mode);
    }

    [Fact]
    public void Truncate_and_set_length_change_the_length()
    {
        string path = _folder.Write("cut", Samples.Random(5000, 2));
        using (var file = LinuxFile.Open(path, LinuxOpen.ReadWrite))
        {
            file.SetLength(7000);
            Assert.Equal(7000, file.Length());
            file.SetLength(10);
            Assert.Equal(10, file.Length());
        }

        using var again = LinuxFile.Open(path, LinuxOpen.WriteOnly | LinuxOpen.Truncate);
        Assert.Equal(0, again.Length());
    }

    [Fact]
    public void Direct_reads_and_writes_work_with_aligned_buffers_up_to_an_odd_end()
    {
        string path = _folder.Write("odd", Samples.Random(10_000, 3));
        using var file = LinuxFile.Open(path, LinuxOpen.ReadWrite | LinuxOpen.Direct);
        using var buffer = new AlignedBuffer(16_384);
        Assert.Equal(10_000, file.ReadAt(buffer.Span, 0));
        Assert.Equal(File.ReadAllBytes(path), buffer.Span[..10_000]);

        buffer.Span[..4096].Fill(7);
        file.WriteAt(buffer.Span[..4096], 4096);
        Assert.Equal(7, File.ReadAllBytes(path)[4096]);
        int alignment = file.Stat().DirectOffsetAlignment;
        Assert.True(alignment is 0 or >= 512 and <= 4096, $"alignment {alignment}");
    }

    [Fact]
    public void Direct_can_be_switched_on_and_off()
    {
        string path = _folder.Write("switch", new byte[8192]);
        using var file = LinuxFile.Open(path, LinuxOpen.ReadWrite);
        Assert.True(file.TrySetDirect(true));
        LinuxException e = Assert.Throws<LinuxException>(() => file.WriteAt(new byte[100], 1));
        Assert.Equal(Errno.EINVAL, e.Errno);
        Assert.True(file.TrySetDirect(false));
        file.WriteAt(new byte[100], 1);
    }

    [Fact]
    public void A_lock_keeps_others_out_until_its_holder_closes()
    {
        string path = _folder.Write("locked", [1]);
        using var second = LinuxFile.Open(path, LinuxOpen.ReadWrite);
        using (var first = LinuxFile.Open(path, LinuxOpen.ReadWrite))
        {
            Assert.True(first.TryLockExclusive());
            Assert.False(second.TryLockExclusive());
            Assert.False(second.TryLockShared());
        }

        Assert.True(second.TryLockShared());
        using var third = LinuxFile.Open(path, LinuxOpen.ReadOnly);
        Assert.True(third.TryLockShared());
        Assert.False(third.TryLockExclusive());
        second.Unlock();
        Assert.True(third.TryLockExclusive());
    }

    [Fact]
    public void A_full_file_system_is_told_with_the_offset_that_did_not_fit()
    {
        using var small = ScratchMount.Create(FileSystemKind.Tmpfs, 1 << 20);
        using var file = LinuxFile.Open(small.File("big"), LinuxOpen.ReadWrite | LinuxOpen.Create);
        LinuxException e = Assert.Throws<LinuxException>(() => file.WriteAt(new byte[2 << 20], 0));
        Assert.Equal(Errno.ENOSPC, e.Errno);
        Assert.True(e.IsFull);
        Assert.Equal(1 << 20, e.Offset);
        Assert.Contains($"write {small.File("big")} at offset 1048576: No space left on device", e.Message, StringComparison.Ordinal);
        Assert.Equal(0, FileSystemCalls.Space(small.Path).AvailableBytes);
        Assert.Equal(1 << 20, FileSystemCalls.Space(small.Path).TotalBytes);
    }

    [Fact]
    public void A_read_only_file_system_is_told_with_the_user()
    {
        using var mount = ScratchMount.Create(FileSystemKind.Tmpfs, 1 << 20, "ro");
        LinuxException e = Assert.Throws<LinuxException>(
            () => LinuxFile.Open(mount.File("x"), LinuxOpen.ReadWrite | LinuxOpen.Create));
        Assert.Equal(Errno.EROFS, e.Errno);
        Assert.EndsWith("Read-only file system (EROFS), as user root", e.Message, StringComparison.Ordinal);
        Assert.True(e.IsDenied);
    }

    [Fact]
    public void The_status_tells_kind_length_allocation_and_times()
    {
        string path = _folder.File("sparse");
        using LinuxFile file = Create("sparse");
        file.SetLength(1 << 30);
        file.WriteAt(new byte[] { 1 }, 1 << 20);
        file.Sync();
        FileStat stat = FileStat.Of(path);
        Assert.Equal(FileKind.Regular, stat.Kind);
        Assert.Equal(1 << 30, stat.Size);
        Assert.InRange(stat.AllocatedBytes, 1, 1 << 20);
        Assert.True(stat.IsSameFileAs(file.Stat()));
        Assert.Equal(
            (File.GetLastWriteTimeUtc(path) - DateTime.UnixEpoch).Ticks, stat.ModifiedNanoseconds / 100);
        Assert.True(stat.ChangedNanoseconds >= stat.BirthNanoseconds);
        Assert.Equal(1u, stat.Links);
        Assert.Equal(UserLookup.EffectiveUserId, stat.UserId);
        Assert.Equal(FileKind.Directory, FileStat.Of(_folder.Path).Kind);
        Assert.Equal(FileKind.Other, FileStat.Of("/dev/null").Kind);
        Assert.Equal(new DeviceNumber(1, 3), FileStat.Of("/dev/null").SpecialDevice);
        Assert.Null(FileStat.IfExists(_folder.File("nothing")));
        Assert.Null(FileStat.IfExists(path + "/beneath-a-file"));
        File.CreateSymbolicLink(_folder.File("link"), "sparse");
        Assert.Equal(FileKind.SymbolicLink, FileStat.Of(_folder.File("link"), followLinks: false).Kind);
        Assert.True(stat.IsSameFileAs(FileStat.Of(_folder.File("link"))));
    }

    [Fact]
    public void Advice_and_writeback_are_accepted_on_a_file()
    {
        using LinuxFile file = Create("advice");
        file.WriteAt(new byte[1 << 20], 0);
        file.SyncFileRange(0, 1 << 20, SyncRange.WaitBefore | SyncRange.Write | SyncRange.WaitAfter);
        foreach (FileAdvice advice in Enum.GetValues<FileAdvice>())
        {
            file.Advise(0, 0, advice);
        }
    }

    private LinuxFile Create(string name) =>
        LinuxFile.Open(_folder.File(name), LinuxOpen.ReadWrite | LinuxOpen.Create | LinuxOpen.Exclusive);

    [Fact]
    public void A_read_that_must_not_wait_takes_what_is_cached_and_nothing_else()
    {
        using ScratchMount mount = ScratchMount.Create(FileSystemKind.Ext4, 64 << 20);
        byte[] content = Samples.Random(1 << 20, 5);
        using (var writer = LinuxFile.Open(mount.File("f"), LinuxOpen.ReadWrite | LinuxOpen.Create))
        {
            writer.WriteAt(content, 0);
            writer.Sync();
        }

        using var file = LinuxFile.Open(mount.File("f"), LinuxOpen.ReadOnly);
        byte[] buffer = new byte[65536];
        Assert.Equal(ReadNow.Done, file.TryReadAtNow(buffer, 4096));
        Assert.Equal(content[4096..(4096 + 65536)], buffer);
        Assert.Equal(ReadNow.WouldWait, file.TryReadAtNow(buffer, content.Length - 100));

        file.Advise(0, 0, FileAdvice.DontNeed);
        Assert.Equal(ReadNow.WouldWait, file.TryReadAtNow(buffer, 4096));
        Assert.Equal(buffer.Length, file.ReadAt(buffer, 4096));
        Assert.Equal(ReadNow.Done, file.TryReadAtNow(buffer, 4096));
    }
}
