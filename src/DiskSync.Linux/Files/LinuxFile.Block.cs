using DiskSync.Linux.Native;

namespace DiskSync.Linux;

/// <content>Block devices.</content>
public sealed partial class LinuxFile
{
    /// <summary>The capacity of a block device in bytes (BLKGETSIZE64).</summary>
    /// <exception cref="LinuxException">ENOTTY where this is no block device.</exception>
    public unsafe long BlockDeviceSize()
    {
        long size = 0;
        Control(Ioctls.DeviceSize, &size, "ask the size of", -1);
        return size;
    }

    /// <summary>The sector size in bytes that direct I/O must be aligned to (BLKSSZGET).</summary>
    /// <exception cref="LinuxException">ENOTTY where this is no block device.</exception>
    public unsafe int LogicalSectorSize()
    {
        int size = 0;
        Control(Ioctls.SectorSize, &size, "ask the sector size of", -1);
        return size;
    }

    /// <summary>Whether a block device takes no writes (BLKROGET); some kernels open such a device for writing all the same.</summary>
    /// <exception cref="LinuxException">ENOTTY where this is no block device.</exception>
    public unsafe bool IsReadOnlyDevice()
    {
        int readOnly = 0;
        Control(Ioctls.IsReadOnly, &readOnly, "ask the state of", -1);
        return readOnly != 0;
    }

    /// <summary>Writes zeros to a range of a block device, by the device's own command where it has one (BLKZEROOUT).</summary>
    /// <param name="offset">First byte, a multiple of the sector size.</param>
    /// <param name="length">Bytes, a multiple of the sector size.</param>
    /// <remarks>Drops the range's pages from the cache. Not durable before <see cref="DataSync"/>.</remarks>
    /// <exception cref="LinuxException">The zeros could not be written.</exception>
    public unsafe void BlkZeroOut(long offset, long length)
    {
        ulong* range = stackalloc ulong[] { (ulong)offset, (ulong)length };
        Control(Ioctls.ZeroOut, range, "zero", offset);
    }

    /// <summary>Tells a block device that a range is not needed (BLKDISCARD). What it reads as afterwards is not defined.</summary>
    /// <param name="offset">First byte, a multiple of the sector size.</param>
    /// <param name="length">Bytes, a multiple of the sector size.</param>
    /// <returns>False where the device cannot.</returns>
    /// <exception cref="LinuxException">It can but failed.</exception>
    public unsafe bool TryBlkDiscard(long offset, long length)
    {
        ulong* range = stackalloc ulong[] { (ulong)offset, (ulong)length };
        int result;
        do
        {
            result = Ioctls.Control(Handle, Ioctls.Discard, range);
        }
        while (Call.Again(result));

        if (result >= 0)
        {
            return true;
        }

        Errno error = Call.Error;
        return Call.IsUnsupported(error) ? false : throw new LinuxException(error, "discard", Path, offset);
    }

    /// <summary>Writes a block device's dirty pages and drops its page cache (BLKFLSBUF); needs CAP_SYS_ADMIN.</summary>
    /// <remarks>After it, the next buffered read comes from the device. Pages that are in use right now may stay.</remarks>
    /// <exception cref="LinuxException">It failed, or the user may not.</exception>
    public void BlkFlushBuffers()
    {
        int result;
        do
        {
            result = Ioctls.Control(Handle, Ioctls.FlushBuffers, 0L);
        }
        while (Call.Again(result));
        ThrowIf(result < 0, "flush the cache of");
    }

    private unsafe void Control(ulong request, void* argument, string operation, long offset)
    {
        int result;
        do
        {
            result = Ioctls.Control(Handle, request, argument);
        }
        while (Call.Again(result));
        ThrowIf(result < 0, operation, offset);
    }
}
