using DiskSync.Engine.Blocks;
using DiskSync.Linux;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.Blocks;

/// <summary>Real loop devices.</summary>
public class BlockSpecialDeviceTests
{
    [Fact]
    public void What_is_written_is_read_again_and_is_behind_the_device()
    {
        using LoopDevice loop = LoopDevice.Create(4 << 20);
        using AlignedBuffer data = Random(1 << 20, 1);
        using AlignedBuffer read = new(1 << 20);
        using (IBlockDevice image = BlockDevices.OpenTarget(loop.Path))
        {
            Assert.Equal(4 << 20, image.Length);
            Assert.Equal(512, image.Alignment);
            image.Write(1 << 20, data.Span);
            image.Flush();
            image.Read(1 << 20, read.Span);
        }

        Assert.True(data.Span.SequenceEqual(read.Span));
        Assert.True(data.Span.SequenceEqual(File.ReadAllBytes(loop.BackingFile).AsSpan(1 << 20, 1 << 20)));
    }

    [Fact]
    public void An_image_shorter_than_its_device_is_read_and_written_to_its_last_byte_and_no_further()
    {
        using LoopDevice loop = LoopDevice.Create(1 << 20);
        byte[] before = Random(1 << 20, 2).Span.ToArray();
        File.WriteAllBytes(loop.BackingFile, before);
        using AlignedBuffer data = Random(8192, 3);
        using AlignedBuffer read = new(8192);
        using (IBlockDevice image = BlockDevices.OpenTarget(loop.Path))
        {
            image.Write(65_536, data.Span[..5001]);
            image.Write(4096, data.Span[..100]);
            image.Flush();
            image.Read(65_536, read.Span[..5001]);
        }

        Assert.True(data.Span[..5001].SequenceEqual(read.Span[..5001]));
        data.Span[..5001].CopyTo(before.AsSpan(65_536));
        data.Span[..100].CopyTo(before.AsSpan(4096));
        Assert.True(before.AsSpan().SequenceEqual(File.ReadAllBytes(loop.BackingFile)));
    }

    [Fact]
    public void A_zeroed_range_reads_as_zeros_and_only_that()
    {
        using LoopDevice loop = LoopDevice.Create(4 << 20);
        byte[] content = Random(4 << 20, 4).Span.ToArray();
        using (IBlockDevice image = BlockDevices.OpenTarget(loop.Path))
        {
            using AlignedBuffer all = Random(4 << 20, 4);
            image.Write(0, all.Span);
            image.Zero(1 << 20, (2 << 20) + 4096 + 77, punch: true);
            image.Flush();
        }

        Array.Clear(content, 1 << 20, (2 << 20) + 4096 + 77);
        Assert.True(content.AsSpan().SequenceEqual(File.ReadAllBytes(loop.BackingFile)));
    }

    [Fact]
    public void A_device_tells_of_no_holes()
    {
        using LoopDevice loop = LoopDevice.Create(4 << 20);
        using IBlockDevice image = BlockDevices.OpenSource(loop.Path);
        Assert.Equal([new Extent(4096, 1 << 20, ExtentKind.Data)], image.Extents(4096, 1 << 20));
        Assert.Empty(image.Extents(0, 0));
    }

    [Fact]
    public void A_sector_that_cannot_be_read_is_named_by_its_offset()
    {
        // The kernel reports a whole megabyte; the message names the first sector that is really gone.
        using LoopDevice loop = LoopDevice.Create(8 << 20);
        using (FileStream behind = File.OpenWrite(loop.BackingFile))
        {
            behind.SetLength((3 << 20) + (5 * 4096));
        }

        using IBlockDevice image = BlockDevices.OpenSource(loop.Path);
        using AlignedBuffer buffer = new(1 << 20);
        image.Read(2 << 20, buffer.Span);
        ImageIOException failure = Assert.Throws<ImageIOException>(() => image.Read(3 << 20, buffer.Span));
        Assert.Equal((3 << 20) + (5 * 4096), failure.Offset);
        Assert.Equal(loop.Path, failure.Image);
        Assert.Equal(FailureKind.Source, failure.Kind);
        Assert.StartsWith($"source {loop.Path}: cannot read at offset 3166208: Input/output error", failure.Message, StringComparison.Ordinal);
        Assert.Contains("kernel log", failure.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public void A_device_of_another_user_is_refused_with_who_and_which()
    {
        using LoopDevice loop = LoopDevice.Create(1 << 20);
        DiskSyncException failure = Assert.Throws<DiskSyncException>(
            () => AsNobody.Run(() => BlockDevices.OpenTarget(loop.Path).Dispose()));
        Assert.Equal($"destination open {loop.Path}: Permission denied (EACCES), as user nobody", failure.Message);
        Assert.Equal(FailureKind.Destination, failure.Kind);
    }

    [Fact]
    public void A_failed_flush_is_final_even_when_the_storage_has_recovered()
    {
        // The backing file's file system is full: writes end in the cache, and the flush finds out.
        using ScratchMount mount = ScratchMount.Create(FileSystemKind.Tmpfs, 8 << 20);
        string behind = mount.File("disk");
        using (FileStream file = File.Create(behind))
        {
            file.SetLength(32 << 20);
        }

        using LoopDevice loop = LoopDevice.FromFile(behind);
        string filler = mount.File("filler");
        File.WriteAllBytes(filler, new byte[6 << 20]);
        using BlockSpecialDevice image = new(
            LinuxFile.Open(loop.Path, LinuxOpen.ReadWrite), loop.Path, Side.Destination, direct: false);
        using AlignedBuffer data = Random(4 << 20, 6);
        image.Write(0, data.Span);
        ImageIOException first = Assert.Throws<ImageIOException>(image.Flush);
        Assert.Equal(FailureKind.Destination, first.Kind);
        Assert.StartsWith($"destination {loop.Path}: cannot flush: ", first.Message, StringComparison.Ordinal);

        File.Delete(filler);
        image.Write(0, data.Span[..4096]);
        ImageIOException second = Assert.Throws<ImageIOException>(image.Flush);
        Assert.Contains("an earlier flush failed", second.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_a_mounted_file_system_has_written_is_seen_though_it_was_read_before(bool direct)
    {
        // Safety rule 9. DiskSync.Linux.Tests shows what an ordinary second read would see.
        using ScratchMount mount = ScratchMount.Create(FileSystemKind.Ext4, 64 << 20);
        string device = mount.Device!.Path;
        using BlockSpecialDevice image = new(
            LinuxFile.Open(device, direct ? LinuxOpen.Direct : LinuxOpen.ReadOnly), device, Side.Source, direct);
        using AlignedBuffer content = Random(4 << 20, 7);
        _ = CountNewBlocks(image, content.Span);
        using (LinuxFile file = LinuxFile.Open(mount.File("new"), LinuxOpen.ReadWrite | LinuxOpen.Create))
        {
            file.WriteAt(content.Span, 0);
            file.Sync();
        }

        if (!direct)
        {
            Assert.InRange(CountNewBlocks(image, content.Span), 0, 1023);
        }

        image.DropCache(0, image.Length);
        Assert.Equal(1024, CountNewBlocks(image, content.Span));
    }

    /// <summary>How many 4 KiB blocks of a content are found on a device, wherever the file system put them.</summary>
    private static int CountNewBlocks(BlockSpecialDevice image, ReadOnlySpan<byte> content)
    {
        HashSet<(long, long)> wanted = [];
        for (int at = 0; at < content.Length; at += 4096)
        {
            wanted.Add((BitConverter.ToInt64(content[at..]), BitConverter.ToInt64(content[(at + 4088)..])));
        }

        using AlignedBuffer buffer = new(1 << 20);
        int found = 0;
        for (long offset = 0; offset < image.Length; offset += buffer.Length)
        {
            image.Read(offset, buffer.Span);
            for (int at = 0; at < buffer.Length; at += 4096)
            {
                ReadOnlySpan<byte> block = buffer.Span[at..];
                found += wanted.Contains((BitConverter.ToInt64(block), BitConverter.ToInt64(block[4088..]))) ? 1 : 0;
            }
        }

        return found;
    }

    private static AlignedBuffer Random(int length, int seed)
    {
        AlignedBuffer buffer = new(length);
        new Random(seed).NextBytes(buffer.Span);
        return buffer;
    }
}
