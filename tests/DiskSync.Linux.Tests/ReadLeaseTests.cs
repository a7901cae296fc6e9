using System.Diagnostics;
using DiskSync.TestSupport;

namespace DiskSync.Linux.Tests;

public sealed class ReadLeaseTests : IDisposable
{
    private readonly ScratchMount _mount = ScratchMount.Create(FileSystemKind.Tmpfs);
    private readonly string _path;

    public ReadLeaseTests()
    {
        _path = _mount.File("a.img");
        File.WriteAllBytes(_path, new byte[8192]);
    }

    public void Dispose() => _mount.Dispose();

    [Theory]
    [InlineData("exec 3<>$IMAGE")]
    [InlineData("exec 3>>$IMAGE")]
    [InlineData("printf X | dd of=$IMAGE conv=notrunc status=none")]
    public void Whoever_opens_the_file_for_writing_is_let_in_at_once_and_the_lease_is_gone_for_good(string writer)
    {
        using LinuxFile file = LinuxFile.Open(_path, LinuxOpen.ReadOnly);
        using ReadLease? lease = ReadLease.TryTake(file, out LeaseRefusal refusal);
        Assert.Equal(LeaseRefusal.None, refusal);
        Assert.True(lease!.IsHeld);

        Stopwatch clock = Stopwatch.StartNew();
        Tool.Run("dash", "sh", "-ec", writer.Replace("$IMAGE", _path, StringComparison.Ordinal));

        // The kernel takes a lease away that nobody gives back after 45 seconds (/proc/sys/fs/lease-break-time).
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20), $"the writer was held up for {clock.Elapsed}");
        Assert.False(lease.IsHeld);
    }

    [Fact]
    public void Who_opens_it_without_waiting_is_told_to_come_again_once()
    {
        using LinuxFile file = LinuxFile.Open(_path, LinuxOpen.ReadOnly);
        using ReadLease? lease = ReadLease.TryTake(file, out _);
        (int code, _, string error) = Tool.TryRun("coreutils", "truncate", "-s", "4096", _path);
        Assert.Contains("temporarily unavailable", error, StringComparison.Ordinal);
        Assert.NotEqual(0, code);
        Assert.False(lease!.IsHeld);
        Tool.Run("coreutils", "truncate", "-s", "4096", _path);
    }

    [Fact]
    public void Readers_links_and_changes_of_mode_do_not_break_it()
    {
        using LinuxFile file = LinuxFile.Open(_path, LinuxOpen.ReadOnly);
        using ReadLease? lease = ReadLease.TryTake(file, out _);
        using ReadLease? second = ReadLease.TryTake(file, out _);
        Tool.Run("dash", "sh", "-ec", $"cat {_path} >/dev/null; ln {_path} {_path}.link; chmod 640 {_path}");
        Assert.True(lease!.IsHeld);
    }

    [Fact]
    public void Two_processes_may_hold_one_each_and_both_hear_of_a_writer()
    {
        using LinuxFile first = LinuxFile.Open(_path, LinuxOpen.ReadOnly);
        using LinuxFile other = LinuxFile.Open(_path, LinuxOpen.ReadOnly);
        using ReadLease? one = ReadLease.TryTake(first, out _);
        using ReadLease? two = ReadLease.TryTake(other, out _);
        Assert.True(one!.IsHeld && two!.IsHeld);
        Tool.Run("dash", "sh", "-ec", $"exec 3<>{_path}");
        Assert.False(one.IsHeld || two.IsHeld);
    }

    [Fact]
    public void It_is_refused_while_somebody_may_write_and_on_what_is_no_regular_file()
    {
        using LinuxFile file = LinuxFile.Open(_path, LinuxOpen.ReadOnly);
        using (LinuxFile.Open(_path, LinuxOpen.ReadWrite))
        {
            Assert.Null(ReadLease.TryTake(file, out LeaseRefusal writer));
            Assert.Equal(LeaseRefusal.Writer, writer);
        }

        using (LoopDevice loop = LoopDevice.FromFile(_path))
        {
            Assert.Null(ReadLease.TryTake(file, out LeaseRefusal attached));
            Assert.Equal(LeaseRefusal.Writer, attached);
            using LinuxFile device = LinuxFile.Open(loop.Path, LinuxOpen.ReadOnly);
            Assert.Null(ReadLease.TryTake(device, out LeaseRefusal special));
            Assert.Equal(LeaseRefusal.NotSupported, special);
        }

        File.SetUnixFileMode(_path, (UnixFileMode)0x1A4);
        AsNobody.Run(() =>
        {
            Assert.Null(ReadLease.TryTake(file, out LeaseRefusal nobody));
            Assert.Equal(LeaseRefusal.NotOwner, nobody);
        });
        ReadLease? lease = ReadLease.TryTake(file, out _);
        lease!.Dispose();
        Assert.False(lease.IsHeld);
        Assert.True(ReadLease.TryTake(file, out _) is { IsHeld: true });
    }

    [Fact]
    public void A_file_system_is_known_by_its_kind_and_its_own_id()
    {
        using LinuxFile file = LinuxFile.Open(_path, LinuxOpen.ReadOnly);
        using LinuxFile proc = LinuxFile.Open("/proc/version", LinuxOpen.ReadOnly);
        FileSystemIdentity here = FileSystemIdentity.Of(file);
        Assert.True(here.ShowsEveryWrite);
        Assert.Equal(Tool.Run("coreutils", "stat", "-f", "-c", "%t %i", _path), $"{here.Type:x} {Swapped(here.Id):x}");
        Assert.False(FileSystemIdentity.Of(proc).ShowsEveryWrite);
    }

    [Fact]
    public void The_boot_id_is_the_kernels() =>
        Assert.Equal(File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim(), BootId.Current.ToString());

    [Fact]
    public void Random_bytes_are_not_the_same_twice()
    {
        byte[] one = new byte[1000];
        byte[] two = new byte[1000];
        KernelRandom.Fill(one);
        KernelRandom.Fill(two);
        Assert.NotEqual(one, two);
        Assert.True(one.Distinct().Count() > 100);
    }

    // stat(1) prints the first word of the id first.
    private static ulong Swapped(ulong id) => (id << 32) | (id >> 32);
}
