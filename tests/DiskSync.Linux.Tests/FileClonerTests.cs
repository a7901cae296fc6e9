using DiskSync.TestSupport;

namespace DiskSync.Linux.Tests;

public sealed class FileClonerTests
{
    private const int Length = (40 << 20) + 12_345;

    [Theory]
    [InlineData(FileSystemKind.Xfs, CloneMethod.Reflink)]
    [InlineData(FileSystemKind.Btrfs, CloneMethod.Reflink)]
    [InlineData(FileSystemKind.Ext4, CloneMethod.CopyFileRange)]
    [InlineData(FileSystemKind.Tmpfs, CloneMethod.CopyFileRange)]
    public void A_clone_is_identical_keeps_its_holes_and_shares_extents_where_the_file_system_can(
        FileSystemKind kind, CloneMethod expected)
    {
        using var mount = ScratchMount.Create(kind);
        using LinuxFile source = MakeSparse(mount.File("source"));
        source.Sync();
        long before = FileSystemCalls.Space(mount.Path).AvailableBytes;
        using LinuxFile copy = Create(mount.File("copy"));
        var progress = new List<long>();
        Assert.Equal(expected, FileCloner.Clone(source, copy, progress.Add));
        copy.Sync();

        AssertSame(source, copy);
        Assert.Equal(Length, progress[^1]);
        Assert.Equal(progress.Order(), progress);
        Assert.InRange(copy.Stat().AllocatedBytes, 1, 6 << 20);
        if (expected == CloneMethod.Reflink)
        {
            Assert.InRange(before - FileSystemCalls.Space(mount.Path).AvailableBytes, long.MinValue, 1 << 20);
            Assert.Contains("shared", Tool.Run("e2fsprogs", "filefrag", "-v", mount.File("copy")), StringComparison.Ordinal);
        }

        copy.WriteAt(new byte[] { 1, 2, 3 }, 1 << 20);
        byte[] original = new byte[3];
        source.ReadExactlyAt(original, 1 << 20);
        Assert.NotEqual(new byte[] { 1, 2, 3 }, original);
    }

    [Theory]
    [InlineData(LinuxOpen.ReadOnly)]
    [InlineData(LinuxOpen.Direct)]
    public void Between_file_systems_the_data_is_copied_and_the_holes_stay(LinuxOpen flags)
    {
        using var from = ScratchMount.Create(FileSystemKind.Ext4);
        using var to = ScratchMount.Create(FileSystemKind.Tmpfs);
        MakeSparse(from.File("source")).Dispose();
        using var source = LinuxFile.Open(from.File("source"), flags);
        using LinuxFile copy = Create(to.File("copy"));
        Assert.Equal(CloneMethod.Copy, FileCloner.Clone(source, copy));
        AssertSame(source, copy);
        Assert.InRange(copy.Stat().AllocatedBytes, 1, 6 << 20);
    }

    [Theory]
    [InlineData(LinuxOpen.ReadOnly)]
    [InlineData(LinuxOpen.Direct)]
    public void A_block_device_becomes_a_file_whose_zeros_are_holes(LinuxOpen flags)
    {
        using var loop = LoopDevice.Create(16 << 20);
        using var source = LinuxFile.Open(loop.Path, LinuxOpen.ReadWrite | flags);
        using var data = new AlignedBuffer(1 << 20);
        Samples.Random(data.Length, 4).CopyTo(data.Span);
        source.WriteAt(data.Span, 5 << 20);
        source.DataSync();
        using var folder = new TempFolder();
        using LinuxFile copy = Create(folder.File("copy"));
        long last = 0;
        Assert.Equal(CloneMethod.Copy, FileCloner.Clone(source, copy, done => last = done));
        copy.DataSync();
        Assert.Equal(16 << 20, last);
        Assert.Equal(File.ReadAllBytes(loop.BackingFile), File.ReadAllBytes(copy.Path));
        Assert.InRange(copy.Stat().AllocatedBytes, 1 << 20, 2 << 20);
    }

    [Fact]
    public void An_empty_file_is_cloned_to_an_empty_file()
    {
        using var folder = new TempFolder();
        using LinuxFile source = Create(folder.File("source"));
        using LinuxFile copy = Create(folder.File("copy"));
        FileCloner.Clone(source, copy);
        Assert.Equal(0, copy.Length());
    }

    [Fact]
    public void A_destination_that_is_not_an_empty_file_is_refused_unharmed()
    {
        using var folder = new TempFolder();
        using LinuxFile source = Create(folder.File("source"));
        using var full = LinuxFile.Open(folder.Write("full", [7]), LinuxOpen.ReadWrite);
        Assert.Throws<ArgumentException>(() => FileCloner.Clone(source, full));
        Assert.Equal([7], File.ReadAllBytes(full.Path));
        using var loop = LoopDevice.Create(1 << 20);
        using var device = LinuxFile.Open(loop.Path, LinuxOpen.ReadWrite);
        Assert.Throws<ArgumentException>(() => FileCloner.Clone(source, device));
    }

    [Fact]
    public void A_cancelled_clone_stops_between_two_pieces()
    {
        using var folder = new TempFolder();
        using var to = ScratchMount.Create(FileSystemKind.Tmpfs);
        using LinuxFile source = MakeSparse(folder.File("source"));
        using LinuxFile copy = Create(to.File("copy"));
        using var cancel = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(
            () => FileCloner.Clone(source, copy, _ => cancel.Cancel(), cancel.Token));
    }

    [Fact]
    public void A_source_that_shrinks_while_it_is_copied_is_told()
    {
        using var from = ScratchMount.Create(FileSystemKind.Ext4);
        using var to = ScratchMount.Create(FileSystemKind.Tmpfs);
        using LinuxFile source = Create(from.File("source"));
        source.WriteAt(new byte[4 << 20], 0);
        using LinuxFile copy = Create(to.File("copy"));
        EndOfStreamException e = Assert.Throws<EndOfStreamException>(
            () => FileCloner.Clone(source, copy, _ => source.SetLength(1000)));
        Assert.Contains(source.Path, e.Message, StringComparison.Ordinal);
        Assert.Contains("shrank", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_destination_without_space_and_a_source_with_bad_sectors_are_told_with_the_offset()
    {
        using var small = ScratchMount.Create(FileSystemKind.Tmpfs, 1 << 20);
        using var folder = new TempFolder();
        using LinuxFile source = Create(folder.File("source"));
        source.WriteAt(Samples.Random(3 << 20, 1), 0);
        using LinuxFile full = Create(small.File("copy"));
        LinuxException e = Assert.Throws<LinuxException>(() => FileCloner.Clone(source, full));
        Assert.Equal((Errno.ENOSPC, (long)(1 << 20)), (e.Errno, e.Offset));

        using var loop = LoopDevice.Create(4 << 20);
        using (FileStream behind = File.OpenWrite(loop.BackingFile))
        {
            behind.SetLength(2 << 20);
        }

        using var bad = LinuxFile.Open(loop.Path, LinuxOpen.ReadOnly);
        using LinuxFile copy = Create(folder.File("copy"));
        e = Assert.Throws<LinuxException>(() => FileCloner.Clone(bad, copy));
        Assert.Equal((Errno.EIO, loop.Path, (long)(2 << 20)), (e.Errno, e.Path, e.Offset));
    }

    private static LinuxFile Create(string path) =>
        LinuxFile.Open(path, LinuxOpen.ReadWrite | LinuxOpen.Create | LinuxOpen.Exclusive);

    private static LinuxFile MakeSparse(string path)
    {
        LinuxFile file = Create(path);
        file.SetLength(Length);
        file.WriteAt(Samples.Random(2 << 20, 1), 1 << 20);
        file.WriteAt(Samples.Random(1 << 20, 2), 20 << 20);
        file.WriteAt(Samples.Random(12_345, 3), Length - 12_345);
        return file;
    }

    private static void AssertSame(LinuxFile a, LinuxFile b) =>
        Assert.True(File.ReadAllBytes(a.Path).AsSpan().SequenceEqual(File.ReadAllBytes(b.Path)));
}
