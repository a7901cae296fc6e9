using DiskSync.TestSupport;

namespace DiskSync.Linux.Tests;

public sealed class DestinationCheckTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Without_sys_it_is_said_that_nothing_can_be_told()
    {
        using TempFolder folder = new();
        LinuxException e = Assert.Throws<LinuxException>(() => new DeviceTree(folder.Path).Loops().ToList());
        Assert.Contains("is not mounted here", e.Message, StringComparison.Ordinal);
        Assert.Throws<LinuxException>(() => new DeviceTree(folder.Path).WholeDevices().ToList());
    }

    [Fact]
    public void Nobody_uses_a_new_file_a_free_device_or_what_is_not_there()
    {
        using var loop = LoopDevice.Create(1 << 20);
        Assert.Empty(DestinationCheck.FindUse(_folder.File("none")));
        Assert.Empty(DestinationCheck.FindUse(_folder.Write("file", [1])));
        Assert.Empty(DestinationCheck.FindUse(_folder.Path));
        Eventually(() => DestinationCheck.FindUse(loop.Path), uses => uses.Count == 0);
    }

    [Theory]
    [InlineData(FileSystemKind.Ext4)]
    [InlineData(FileSystemKind.Xfs)]
    [InlineData(FileSystemKind.Btrfs)]
    public void A_mounted_device_and_the_file_behind_it_are_refused_with_the_mount_point(FileSystemKind kind)
    {
        using var mount = ScratchMount.Create(kind);
        string device = mount.Device!.Path;
        string file = mount.Device.BackingFile;
        Assert.Equal([$"{device} is mounted at {mount.Path}"], DestinationCheck.FindUse(device));
        Assert.Equal(
            [$"{file} is the backing file of {device}", $"{device} is mounted at {mount.Path}"],
            DestinationCheck.FindUse(file));
    }

    [Fact]
    public void A_mount_point_with_a_space_in_its_name_is_told_as_it_is()
    {
        using var loop = LoopDevice.Create(16 << 20);
        ScratchMount.Format(FileSystemKind.Ext4, loop.Path);
        string point = _folder.File("a place\\x");
        Directory.CreateDirectory(point);
        Tool.Run("mount", "mount", loop.Path, point);
        try
        {
            Assert.Equal([$"{loop.Path} is mounted at {point}"], DestinationCheck.FindUse(loop.Path));
        }
        finally
        {
            Tool.Run("mount", "umount", "-l", point);
        }
    }

    [Fact]
    public void A_device_with_a_mounted_partition_and_the_partition_of_a_mounted_device_are_refused()
    {
        using var loop = LoopDevice.Create(32 << 20, "--partscan");
        Tool.Run("util-linux", "addpart", loop.Path, "1", "2048", "32768");
        string partition = loop.Path + "p1";
        ScratchMount.Format(FileSystemKind.Ext4, partition);
        string point = _folder.File("mnt");
        Directory.CreateDirectory(point);
        Tool.Run("mount", "mount", partition, point);
        try
        {
            Assert.Equal(
                [$"its partition {partition} is mounted at {point}"], DestinationCheck.FindUse(loop.Path));
            Assert.Equal([$"{partition} is mounted at {point}"], DestinationCheck.FindUse(partition));
        }
        finally
        {
            Tool.Run("mount", "umount", "-l", point);
        }

        ScratchMount.Format(FileSystemKind.Ext4, loop.Path);
        Tool.Run("mount", "mount", loop.Path, point);
        try
        {
            Assert.Contains(
                $"its whole device {loop.Path} is mounted at {point}", DestinationCheck.FindUse(partition));
        }
        finally
        {
            Tool.Run("mount", "umount", "-l", point);
            Tool.Run("util-linux", "delpart", loop.Path, "1");
        }
    }

    [Fact]
    public void Swap_space_is_refused()
    {
        using var loop = LoopDevice.Create(1 << 20);
        Tool.Run("util-linux", "mkswap", loop.Path);
        Tool.Run("mount", "swapon", loop.Path);
        try
        {
            Assert.Equal([$"{loop.Path} is used as swap space"], DestinationCheck.FindUse(loop.Path));
        }
        finally
        {
            Tool.Run("mount", "swapoff", loop.Path);
        }
    }

    [Fact]
    public void The_backing_file_of_a_loop_device_is_refused_even_when_it_was_renamed()
    {
        string file = _folder.Write("disk.img", new byte[1 << 20]);
        using var loop = LoopDevice.FromFile(file);
        Assert.Equal([$"{file} is the backing file of {loop.Path}"], DestinationCheck.FindUse(file));

        string link = _folder.File("second-name.img");
        Tool.Run("coreutils", "ln", file, link);
        File.Delete(file);
        Assert.Equal([$"{link} is the backing file of {loop.Path}"], DestinationCheck.FindUse(link));
        File.Move(link, file);
    }

    [Fact]
    public void A_device_under_another_loop_device_is_refused()
    {
        using var below = LoopDevice.Create(1 << 20);
        using var above = LoopDevice.FromFile(below.Path);
        Assert.Contains($"{below.Path} is the backing file of {above.Path}", DestinationCheck.FindUse(below.Path));
    }

    [Fact]
    public void A_device_that_someone_holds_exclusively_is_refused()
    {
        using var loop = LoopDevice.Create(1 << 20);
        using var holder = LinuxFile.Open(loop.Path, LinuxOpen.ReadWrite | LinuxOpen.Exclusive);
        Assert.Equal(
            [$"{loop.Path} is in exclusive use by the kernel or by another program"],
            DestinationCheck.FindUse(loop.Path));
    }

    [Fact]
    public void A_device_mounted_in_another_mount_namespace_is_refused()
    {
        using var loop = LoopDevice.Create(16 << 20);
        ScratchMount.Format(FileSystemKind.Ext4, loop.Path);
        string point = _folder.File("mnt");
        Directory.CreateDirectory(point);
        using System.Diagnostics.Process other = Tool.Start(
            "util-linux", "unshare", "--mount", "sh", "-c", $"mount {loop.Path} {point} && echo mounted && read line");
        Assert.Equal("mounted", other.StandardOutput.ReadLine());
        Assert.Equal(
            [$"{loop.Path} is in exclusive use by the kernel or by another program"],
            DestinationCheck.FindUse(loop.Path));
        other.StandardInput.Close();
        other.WaitForExit();
    }

    [Fact]
    public void Parts_of_arrays_and_mappings_are_refused_with_the_name_of_the_whole()
    {
        // This kernel need not have device mapper or md: the folders as such a kernel shows them.
        using var sys = new FakeSys();
        string disk = sys.AddDisk("sda", "8:0");
        sys.AddPartition(disk, "sda1", "8:1", 1);
        sys.AddPartition(disk, "sda2", "8:2", 2);
        sys.AddDisk("dm-0", "252:0", ("dm/name", "vg0-root"), ("dm/uuid", "LVM-abc"));
        sys.AddDisk("md127", "9:127");
        sys.AddHolder(disk + "/sda1", "dm-0");
        sys.AddHolder(disk + "/sda2", "md127");

        var uses = new List<string>();
        string[] mounts = ["30 1 252:0 / / rw - ext4 /dev/mapper/vg0-root rw", "31 1 8:2 / /srv rw shared:1 - xfs /dev/none rw"];
        DestinationCheck.AddDeviceUses(new DeviceNumber(8, 0), "/dev/sda", uses, sys.Tree, mounts);
        Assert.Equal(
            [
                "its partition /dev/sda1 is part of the device mapper's vg0-root (/dev/dm-0)",
                "its partition /dev/sda2 is mounted at /srv",
                "its partition /dev/sda2 is part of /dev/md127",
            ],
            uses);

        uses.Clear();
        DestinationCheck.AddDeviceUses(new DeviceNumber(8, 1), "/dev/sda1", uses, sys.Tree, mounts);
        Assert.Equal(["/dev/sda1 is part of the device mapper's vg0-root (/dev/dm-0)"], uses);

        uses.Clear();
        DestinationCheck.AddDeviceUses(new DeviceNumber(252, 0), "/dev/vg0/root", uses, sys.Tree, mounts);
        Assert.Equal(["/dev/vg0/root is mounted at /"], uses);
    }

    [Fact]
    public void A_further_device_of_a_mounted_btrfs_is_refused()
    {
        using var first = LoopDevice.Create(256 << 20);
        using var second = LoopDevice.Create(256 << 20);
        Tool.Run("btrfs-progs", "mkfs.btrfs", "-q", first.Path, second.Path);
        string point = _folder.File("mnt");
        Directory.CreateDirectory(point);
        Tool.Run("mount", "mount", "-o", $"device={second.Path}", first.Path, point);
        try
        {
            IReadOnlyList<string>[] both =
                [DestinationCheck.FindUse(first.Path), DestinationCheck.FindUse(second.Path)];
            Assert.Contains(both, uses => uses.Any(use => use.EndsWith($"is mounted at {point}", StringComparison.Ordinal)));
            Assert.Contains(both, uses => uses.Any(use => use.EndsWith("is part of a mounted btrfs file system", StringComparison.Ordinal)));
        }
        finally
        {
            Tool.Run("mount", "umount", "-l", point);
        }
    }

    [Theory]
    [InlineData(@"/mnt/a\040b\134c", @"/mnt/a b\c")]
    [InlineData(@"/mnt/\303\274\011", "/mnt/\u00fc\t")]
    [InlineData(@"/mnt/end\04", @"/mnt/end\04")]
    [InlineData("/plain", "/plain")]
    public void The_kernels_escapes_are_undone(string escaped, string plain) =>
        Assert.Equal(plain, MountEntry.Unescape(escaped));

    [Theory]
    [InlineData("")]
    [InlineData("36 35 98:0 / /mnt rw")]
    [InlineData("36 35 x:y / /mnt rw - ext4 /dev/sda rw")]
    [InlineData("36 35 98:0 / /mnt rw -")]
    public void Lines_that_are_no_mounts_are_passed_over(string line) => Assert.Empty(MountEntry.Parse([line]));

    private static void Eventually<T>(Func<T> ask, Func<T, bool> right)
    {
        // Another test's child process may hold a copy of an exclusive handle until it runs its program.
        Assert.True(SpinWait.SpinUntil(() => right(ask()), TimeSpan.FromSeconds(5)), $"{ask()}");
    }
}
