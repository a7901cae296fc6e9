using DiskSync.TestSupport;

namespace DiskSync.Linux.Tests;

public sealed class BlockDeviceTests
{
    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    public void Capacity_and_sector_size_are_those_of_the_device(int sector)
    {
        using var loop = LoopDevice.Create(8 << 20, $"--sector-size={sector}");
        using var file = LinuxFile.Open(loop.Path, LinuxOpen.ReadOnly);
        Assert.Equal(8 << 20, file.BlockDeviceSize());
        Assert.Equal(8 << 20, file.Length());
        Assert.Equal(sector, file.LogicalSectorSize());
        Assert.Equal(FileKind.BlockDevice, file.Stat().Kind);
    }

    [Theory]
    [InlineData("zeroout")]
    [InlineData("discard")]
    [InlineData("punch")]
    [InlineData("zero")]
    public void Ranges_are_zeroed_on_a_real_device_and_a_loop_gives_their_space_back(string how)
    {
        using var loop = LoopDevice.Create(8 << 20);
        using (var file = LinuxFile.Open(loop.Path, LinuxOpen.ReadWrite))
        {
            file.WriteAt(Samples.Random(8 << 20, 1), 0);
            file.DataSync();
            switch (how)
            {
                case "zeroout":
                    file.BlkZeroOut(1 << 20, 2 << 20);
                    break;
                case "discard":
                    Assert.True(file.TryBlkDiscard(1 << 20, 2 << 20));
                    break;
                case "punch":
                    Assert.True(file.TryPunchHole(1 << 20, 2 << 20));
                    break;
                default:
                    Assert.True(file.TryZeroRange(1 << 20, 2 << 20));
                    break;
            }

            file.DataSync();
            byte[] read = new byte[8 << 20];
            file.ReadExactlyAt(read, 0);
            Assert.Equal(-1, read.AsSpan(1 << 20, 2 << 20).IndexOfAnyExcept((byte)0));
            Assert.Equal(Samples.Random(8 << 20, 1).AsSpan(0, 1 << 20), read.AsSpan(0, 1 << 20));
            Assert.Equal(Samples.Random(8 << 20, 1).AsSpan(3 << 20), read.AsSpan(3 << 20));
        }

        byte[] behind = File.ReadAllBytes(loop.BackingFile);
        Assert.Equal(-1, behind.AsSpan(1 << 20, 2 << 20).IndexOfAnyExcept((byte)0));
    }

    [Fact]
    public void An_unaligned_range_is_refused_with_its_offset()
    {
        using var loop = LoopDevice.Create(1 << 20);
        using var file = LinuxFile.Open(loop.Path, LinuxOpen.ReadWrite);
        LinuxException e = Assert.Throws<LinuxException>(() => file.BlkZeroOut(100, 512));
        Assert.Equal(Errno.EINVAL, e.Errno);
        Assert.StartsWith($"zero {loop.Path} at offset 100: ", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Device_calls_on_a_file_say_that_it_is_none()
    {
        using var folder = new TempFolder();
        using var file = LinuxFile.Open(folder.Write("f", [1]), LinuxOpen.ReadWrite);
        Assert.Equal(Errno.ENOTTY, Assert.Throws<LinuxException>(() => file.BlockDeviceSize()).Errno);
        Assert.Equal(Errno.ENOTTY, Assert.Throws<LinuxException>(() => file.LogicalSectorSize()).Errno);
        Assert.Equal(Errno.ENOTTY, Assert.Throws<LinuxException>(() => file.BlkFlushBuffers()).Errno);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_sector_that_cannot_be_read_is_a_real_input_output_error_at_its_offset(bool direct)
    {
        using var loop = LoopDevice.Create(8 << 20);
        using (FileStream behind = File.OpenWrite(loop.BackingFile))
        {
            behind.SetLength(3 << 20);
        }

        using var file = LinuxFile.Open(loop.Path, direct ? LinuxOpen.Direct : LinuxOpen.ReadOnly);
        using var buffer = new AlignedBuffer(1 << 20);
        file.ReadExactlyAt(buffer.Span, 2 << 20);
        LinuxException e = Assert.Throws<LinuxException>(() => file.ReadAt(buffer.Span, 5 << 20));
        Assert.Equal(Errno.EIO, e.Errno);
        Assert.Equal(5 << 20, e.Offset);
        Assert.Equal($"read {loop.Path} at offset {5 << 20}: Input/output error (EIO)", e.Message);
    }

    [Fact]
    public void An_exclusive_open_of_a_device_keeps_other_exclusive_opens_out()
    {
        using var loop = LoopDevice.Create(1 << 20);
        using (LinuxFile.Open(loop.Path, LinuxOpen.ReadWrite | LinuxOpen.Exclusive))
        {
            LinuxException e = Assert.Throws<LinuxException>(
                () => LinuxFile.Open(loop.Path, LinuxOpen.ReadWrite | LinuxOpen.Exclusive));
            Assert.Equal(Errno.EBUSY, e.Errno);
            using (LinuxFile.Open(loop.Path, LinuxOpen.ReadOnly))
            {
            }
        }

        // A child process that another test is just starting may have a copy of the handle for a moment.
        Assert.True(SpinWait.SpinUntil(() => CanOpenExclusively(loop.Path), TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public void A_read_only_device_refuses_writers_and_names_the_user()
    {
        using var folder = new TempFolder();
        using var loop = LoopDevice.FromFile(folder.Write("ro.img", new byte[1 << 20]), "--read-only");
        LinuxException e = Assert.Throws<LinuxException>(() =>
        {
            using var file = LinuxFile.Open(loop.Path, LinuxOpen.ReadWrite);
            file.WriteAt(new byte[512], 0);
        });
        Assert.True(e.IsDenied, e.Message);
        Assert.EndsWith("as user root", e.Message, StringComparison.Ordinal);
    }

    private static bool CanOpenExclusively(string path)
    {
        try
        {
            using var file = LinuxFile.Open(path, LinuxOpen.ReadWrite | LinuxOpen.Exclusive);
            return true;
        }
        catch (LinuxException e) when (e.Errno == Errno.EBUSY)
        {
            return false;
        }
    }
}
