using DiskSync.TestSupport;

namespace DiskSync.Linux.Tests;

public sealed class DeviceIdentityTests
{
    [Fact]
    public void A_device_is_found_again_by_its_identity_and_not_once_it_is_gone()
    {
        string identity;
        using (LoopDevice loop = LoopDevice.Create(1 << 20))
        {
            identity = DeviceIdentity.Find(loop.Path)!;
            Assert.Equal(loop.Path, DeviceIdentity.FindPath(identity));
        }

        Assert.Null(DeviceIdentity.FindPath(identity));
    }

    [Fact]
    public void A_loop_device_is_known_by_its_backing_file_whatever_its_number()
    {
        using var folder = new TempFolder();
        string file = folder.Write("disk.img", new byte[1 << 20]);
        string? first;
        using (var loop = LoopDevice.FromFile(file))
        {
            first = DeviceIdentity.Find(loop.Path);
            Assert.Matches("^loop-[0-9a-f]{16}-[0-9]+-[0-9a-f]+-0-0$", first!);
        }

        using var placeholder = LoopDevice.Create(1 << 20);
        File.Move(file, folder.File("renamed.img"));
        using var again = LoopDevice.FromFile(folder.File("renamed.img"));
        Assert.Equal(first, DeviceIdentity.Find(again.Path));
        Assert.NotEqual(first, DeviceIdentity.Find(placeholder.Path));

        using var part = LoopDevice.FromFile(folder.File("renamed.img"), "--offset=4096");
        Assert.NotEqual(first, DeviceIdentity.Find(part.Path));
    }

    [Fact]
    public void A_new_file_of_the_same_name_is_another_device()
    {
        using var folder = new TempFolder();
        string file = folder.Write("disk.img", new byte[1 << 20]);
        string? first;
        using (var loop = LoopDevice.FromFile(file))
        {
            first = DeviceIdentity.Find(loop.Path);
        }

        File.Delete(file);
        folder.Write("disk.img", new byte[1 << 20]);
        using var again = LoopDevice.FromFile(file);
        Assert.NotEqual(first, DeviceIdentity.Find(again.Path));
    }

    [Fact]
    public void A_partition_of_a_loop_device_has_its_number_after_the_devices_identity()
    {
        using var loop = LoopDevice.Create(8 << 20, "--partscan");
        Tool.Run("util-linux", "addpart", loop.Path, "3", "2048", "2048");
        Assert.Equal(DeviceIdentity.Find(loop.Path) + "-part3", DeviceIdentity.Find(loop.Path + "p3"));
        Tool.Run("util-linux", "delpart", loop.Path, "3");
    }

    [Fact]
    public void What_is_no_block_device_has_no_identity()
    {
        using var folder = new TempFolder();
        LinuxException e = Assert.Throws<LinuxException>(() => DeviceIdentity.Find(folder.Write("f", [1])));
        Assert.Equal(Errno.ENOTBLK, e.Errno);
    }

    [Fact]
    public void Mappings_links_and_serial_numbers_are_taken_in_that_order()
    {
        using var sys = new FakeSys();
        string sda = sys.AddDisk("sda", "8:0", ("device/wwid", "naa.5000c500a1b2c3d4"));
        sys.AddPartition(sda, "sda1", "8:1", 1);
        sys.AddDisk("vda", "254:0", ("serial", "DISK 7"), ("device/vendor", "0x1af4"));
        sys.AddDisk("vdb", "254:16");
        sys.AddDisk("dm-0", "252:0", ("dm/uuid", "LVM-vgvgvg"), ("dm/name", "vg-lv"));
        Assert.Equal("dm-uuid-LVM-vgvgvg", Find("252:0"));
        Assert.Equal("wwid-naa.5000c500a1b2c3d4", Find("8:0"));
        Assert.Equal("wwid-naa.5000c500a1b2c3d4-part1", Find("8:1"));
        Assert.Equal("serial-0x1af4-DISK_7", Find("254:0"));
        Assert.Null(Find("254:16"));
        Assert.Null(Find("99:99"));

        sys.AddLink("scsi-SATA_disk", "sda");
        sys.AddLink("wwn-0x5000c500a1b2c3d4", "sda");
        sys.AddLink("lvm-pv-uuid-fromcontent", "sda");
        sys.AddLink("wwn-0x5000c500a1b2c3d4-part1", "sda1");
        sys.AddLink("dm-name-vg-lv", "vdb");
        Assert.Equal("wwn-0x5000c500a1b2c3d4", Find("8:0"));
        Assert.Equal("wwn-0x5000c500a1b2c3d4-part1", Find("8:1"));
        Assert.Null(Find("254:16"));

        string? Find(string number) =>
            DeviceNumber.TryParse(number, out DeviceNumber device) ? DeviceIdentity.Find(device, sys.Tree, sys.Links) : "?";
    }

    [Fact]
    public void A_serial_number_that_two_disks_share_tells_neither()
    {
        using var sys = new FakeSys();
        sys.AddDisk("vda", "254:0", ("serial", "same"));
        sys.AddDisk("vdb", "254:16", ("serial", "same"));
        Assert.Null(DeviceIdentity.Find(new DeviceNumber(254, 0), sys.Tree, sys.Links));
    }

    [Fact]
    public void A_very_long_identity_is_shortened_without_losing_what_tells_devices_apart()
    {
        using var sys = new FakeSys();
        sys.AddDisk("sda", "8:0", ("wwid", new string('x', 300) + "1"));
        sys.AddDisk("sdb", "8:16", ("wwid", new string('x', 300) + "2"));
        string a = DeviceIdentity.Find(new DeviceNumber(8, 0), sys.Tree, sys.Links)!;
        string b = DeviceIdentity.Find(new DeviceNumber(8, 16), sys.Tree, sys.Links)!;
        Assert.NotEqual(a, b);
        Assert.InRange(a.Length, 1, 200);
    }
}
