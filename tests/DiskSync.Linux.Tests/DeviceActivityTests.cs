using DiskSync.TestSupport;

namespace DiskSync.Linux.Tests;

public sealed class DeviceActivityTests
{
    private const string Stat = "  252280   136504 77233690   158377  1363133   112316 258446448  2898958        0   321764  3207301   444343       93 237667184    94420   351396    55544";

    [Fact]
    public void Sectors_read_written_and_discarded_are_told_and_those_of_a_real_device_move()
    {
        using LoopDevice loop = LoopDevice.Create(4 << 20);
        DeviceNumber number = FileStat.Of(loop.Path).SpecialDevice;
        DeviceActivity before = DeviceActivity.Of(number)!.Value;
        Assert.NotEqual(0UL, before.Sequence);
        Tool.Run("coreutils", "dd", "if=/dev/zero", $"of={loop.Path}", "bs=4096", "count=2", "oflag=direct", "status=none");
        DeviceActivity written = DeviceActivity.Of(number)!.Value;
        Assert.Equal(before.SectorsChanged + 16, written.SectorsChanged);
        Tool.Run("util-linux", "blkdiscard", "--force", "--offset", "0", "--length", "65536", loop.Path);
        Assert.Equal(written.SectorsChanged + 128, DeviceActivity.Of(number)!.Value.SectorsChanged);
        Tool.Run("coreutils", "dd", $"if={loop.Path}", "of=/dev/null", "bs=65536", "count=2", "iflag=direct", "status=none");
        Assert.True(DeviceActivity.Of(number)!.Value.SectorsRead >= written.SectorsRead + 256);
        Assert.Equal(before.Sequence, DeviceActivity.SequenceOf(number));
    }

    [Fact]
    public void The_numbers_are_those_of_the_kernels_documentation()
    {
        using FakeSys sys = new();
        string disk = sys.AddDisk("sda", "8:0", ("stat", Stat), ("diskseq", "9"), ("queue/iostats", "1"));
        Assert.Equal(new DeviceActivity(9, 77233690, 258446448 + 237667184), DeviceActivity.Of(new DeviceNumber(8, 0), sys.Tree));

        sys.AddPartition(disk, "sda1", "8:1", 1);
        Assert.Null(DeviceActivity.Of(new DeviceNumber(8, 1), sys.Tree));
        File.WriteAllText($"{disk}/sda1/stat", "1 2 30 4 5 6 70 8 9 10 11 12 13 140 15 16 17");
        Assert.Equal(new DeviceActivity(9, 30, 210), DeviceActivity.Of(new DeviceNumber(8, 1), sys.Tree));
    }

    [Theory]
    [InlineData("queue/iostats", "0")]
    [InlineData("diskseq", "")]
    [InlineData("stat", "1 2 3 4 5 6 7 8 9 10 11")]
    [InlineData("stat", "")]
    [InlineData("stat", "a b c d e f g h i j k l m n o p q")]
    public void A_device_that_the_kernel_does_not_count_says_nothing(string attribute, string value)
    {
        using FakeSys sys = new();
        Dictionary<string, string> attributes = new() { ["stat"] = Stat, ["diskseq"] = "9", ["queue/iostats"] = "1" };
        attributes[attribute] = value;
        sys.AddDisk("sda", "8:0", [.. attributes.Select(a => (a.Key, a.Value))]);
        Assert.Null(DeviceActivity.Of(new DeviceNumber(8, 0), sys.Tree));
        Assert.Null(DeviceActivity.Of(new DeviceNumber(8, 7), sys.Tree));
    }
}
