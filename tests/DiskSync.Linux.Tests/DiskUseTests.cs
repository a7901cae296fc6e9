using DiskSync.TestSupport;

namespace DiskSync.Linux.Tests;

public sealed class DiskUseTests
{
    [Fact]
    public void What_a_real_device_has_read_and_written_is_counted()
    {
        using var loop = LoopDevice.Create(8 << 20);
        DiskUse before = DiskUse.Of(loop.Path)!.Value;
        using (var file = LinuxFile.Open(loop.Path, LinuxOpen.ReadWrite | LinuxOpen.Direct))
        using (AlignedBuffer buffer = new(1 << 20))
        {
            file.WriteAt(buffer.Span, 0);
            file.ReadExactlyAt(buffer.Span, 4 << 20);
        }

        DiskUse after = DiskUse.Of(loop.Path)!.Value;
        Assert.True(after.Bytes - before.Bytes >= 2 << 20);
        Assert.True(after.OwnBytes - before.OwnBytes >= 2 << 20);
        Assert.True(after.Busy >= before.Busy);
    }

    [Fact]
    public void Partitions_and_mapped_devices_lead_to_their_disks()
    {
        using FakeSys sys = new();
        string first = sys.AddDisk("sda", "8:0", ("stat", "1 2 100 4 5 6 10 8 0 700 9"));
        string second = sys.AddDisk("sdb", "8:16", ("stat", "1 2 1000 4 5 6 0 8 0 600 9 1 1 1 1 0 0"));
        sys.AddPartition(first, "sda1", "8:1", 1);
        string mapped = sys.AddDisk("dm-0", "253:0", ("stat", "0 0 0 0 0 0 0 0 0 0 0"));
        Directory.CreateDirectory(mapped + "/slaves");
        Directory.CreateSymbolicLink(mapped + "/slaves/sda1", first + "/sda1");
        Directory.CreateSymbolicLink(mapped + "/slaves/sdb", second);
        DeviceTree tree = sys.Tree;
        Assert.Equal(new DiskUse(TimeSpan.FromMilliseconds(700), 110 * 512, 0), DiskUse.Of(new DeviceNumber(8, 1), tree, "/nowhere"));
        Assert.Equal(new DiskUse(TimeSpan.FromMilliseconds(700), 1110 * 512, 0), DiskUse.Of(new DeviceNumber(253, 0), tree, "/nowhere"));
        Assert.Null(DiskUse.Of(new DeviceNumber(0, 44), tree, "/nowhere"));
    }

    [Fact]
    public void Nothing_is_known_of_what_is_not_there()
    {
        Assert.Null(DiskUse.Of("/proc/no-such-file"));
        Assert.Null(DiskUse.Of("/proc/self/status"));
    }

    [Theory]
    [InlineData("some avg10=5.20 avg60=4.42 avg300=1.49 total=160250002\nfull avg10=0.03 avg60=0.19 avg300=0.19 total=57861761\n", 160250002L)]
    [InlineData("some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n", 0L)]
    [InlineData("full avg10=0.00 total=5\n", null)]
    [InlineData("some avg10=0.00 total=x\n", null)]
    [InlineData("", null)]
    public void Pressure_is_the_total_of_those_that_waited(string text, long? microseconds) =>
        Assert.Equal(microseconds is { } m ? TimeSpan.FromMicroseconds(m) : null, PressureStall.Parse(text));
}
