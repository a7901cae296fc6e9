using DiskSync.TestSupport;

namespace DiskSync.Linux.Tests;

/// <summary>Safety rule 9: a device that someone else writes is not read through the page cache.</summary>
public sealed class PageCacheTests : IDisposable
{
    private const int Blocks = 1024;
    private const int BlockSize = 4096;
    private const long DeviceSize = 64 << 20;

    private readonly ScratchMount _mount = ScratchMount.Create(FileSystemKind.Ext4, DeviceSize);
    private readonly LinuxFile _device;

    public PageCacheTests()
    {
        // Read the whole device through the cache, then change it beneath: as a first round and a running guest do.
        _device = LinuxFile.Open(_mount.Device!.Path, LinuxOpen.ReadOnly);
        _ = CountNewBlocks(_device);
        using var file = LinuxFile.Open(_mount.File("new"), LinuxOpen.ReadWrite | LinuxOpen.Create);
        file.WriteAt(Samples.Random(Blocks * BlockSize, 77), 0);
        file.Sync();
    }

    public void Dispose()
    {
        _device.Dispose();
        _mount.Dispose();
    }

    [Fact]
    public void A_buffered_reread_of_a_device_under_a_mount_is_stale_and_a_direct_read_is_right()
    {
        Assert.InRange(CountNewBlocks(_device), 0, Blocks - 1);
        using var direct = LinuxFile.Open(_device.Path, LinuxOpen.ReadOnly | LinuxOpen.Direct);
        Assert.Equal(Blocks, CountNewBlocks(direct));
    }

    [Fact]
    public void Switching_an_open_device_to_direct_makes_its_reads_right()
    {
        Assert.True(_device.TrySetDirect(true));
        Assert.Equal(Blocks, CountNewBlocks(_device));
    }

    [Fact]
    public void After_fsync_and_flush_buffers_a_buffered_read_is_right()
    {
        _device.DataSync();
        _device.BlkFlushBuffers();
        Assert.Equal(Blocks, CountNewBlocks(_device));
    }

    [Fact]
    public void After_the_advice_that_the_cache_is_not_needed_a_buffered_read_is_right()
    {
        _device.DataSync();
        _device.Advise(0, 0, FileAdvice.DontNeed);
        Assert.Equal(Blocks, CountNewBlocks(_device));
    }

    /// <summary>How many of the file's blocks are found on the device, wherever the file system put them.</summary>
    private static int CountNewBlocks(LinuxFile device)
    {
        byte[] content = Samples.Random(Blocks * BlockSize, 77);
        var wanted = new Dictionary<long, int>();
        for (int i = 0; i < Blocks; i++)
        {
            wanted.Add(BitConverter.ToInt64(content, i * BlockSize), i);
        }

        using var buffer = new AlignedBuffer(1 << 20);
        int found = 0;
        for (long at = 0; at < DeviceSize; at += buffer.Length)
        {
            device.ReadExactlyAt(buffer.Span, at);
            for (int i = 0; i < buffer.Length; i += BlockSize)
            {
                ReadOnlySpan<byte> block = buffer.Span.Slice(i, BlockSize);
                if (wanted.TryGetValue(BitConverter.ToInt64(block), out int index)
                    && block.SequenceEqual(content.AsSpan(index * BlockSize, BlockSize)))
                {
                    found++;
                }
            }
        }

        return found;
    }
}
