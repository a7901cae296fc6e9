using DiskSync.Linux.Native;

namespace DiskSync.Linux;

/// <content>Length, allocation and holes.</content>
public sealed partial class LinuxFile
{
    /// <summary>Cuts or extends a regular file; what is added is a hole.</summary>
    /// <exception cref="LinuxException">The length could not be set.</exception>
    public void SetLength(long length)
    {
        int result;
        do
        {
            result = FileCalls.Truncate(Handle, length);
        }
        while (Call.Again(result));
        ThrowIf(result < 0, "set the length of");
    }

    /// <summary>Reserves space for a range without changing the file's length.</summary>
    /// <returns>False where the file system cannot.</returns>
    /// <exception cref="LinuxException">It can but failed, mostly for want of space.</exception>
    public bool TryPreallocate(long offset, long length) =>
        TryAllocate(FileCalls.KeepSize, "preallocate", offset, length);

    /// <summary>Makes a range read as zeros and releases its space; the length stays. On block devices too.</summary>
    /// <returns>False where the file system or device cannot: write zeros instead.</returns>
    /// <exception cref="LinuxException">It can but failed.</exception>
    public bool TryPunchHole(long offset, long length) =>
        TryAllocate(FileCalls.PunchHole | FileCalls.KeepSize, "punch a hole into", offset, length);

    /// <summary>Makes a range read as zeros and keeps its space allocated; the length stays. On block devices too.</summary>
    /// <returns>False where the file system or device cannot: write zeros instead.</returns>
    /// <exception cref="LinuxException">It can but failed.</exception>
    public bool TryZeroRange(long offset, long length) =>
        TryAllocate(FileCalls.ZeroRange | FileCalls.KeepSize, "zero", offset, length);

    /// <summary>The first byte at or after an offset that is data.</summary>
    /// <param name="offset">Where to start.</param>
    /// <param name="found">The byte's offset, or -1 where only holes follow or the file ends before.</param>
    /// <returns>False where holes cannot be told here (block devices, some file systems).</returns>
    /// <exception cref="LinuxException">The file system failed.</exception>
    public bool TrySeekData(long offset, out long found) => TrySeek(offset, FileCalls.SeekData, out found);

    /// <summary>The first byte at or after an offset that is in a hole; the file's end counts as one.</summary>
    /// <param name="offset">Where to start.</param>
    /// <param name="found">The byte's offset, or -1 where the file ends before <paramref name="offset"/>.</param>
    /// <returns>False where holes cannot be told here (block devices, some file systems).</returns>
    /// <exception cref="LinuxException">The file system failed.</exception>
    public bool TrySeekHole(long offset, out long found) => TrySeek(offset, FileCalls.SeekHole, out found);

    private bool TrySeek(long offset, int whence, out long found)
    {
        do
        {
            found = FileCalls.Seek(Handle, offset, whence);
        }
        while (Call.Again(found));

        if (found >= 0)
        {
            return true;
        }

        Errno error = Call.Error;
        return error switch
        {
            Errno.ENXIO => true,
            Errno.EINVAL or Errno.ESPIPE => false,
            _ when Call.IsUnsupported(error) => false,
            _ => throw new LinuxException(error, "look for holes in", Path, offset),
        };
    }

    private bool TryAllocate(int mode, string operation, long offset, long length)
    {
        if (length == 0)
        {
            // fallocate refuses an empty range.
            return true;
        }

        int result;
        do
        {
            result = FileCalls.Allocate(Handle, mode, offset, length);
        }
        while (Call.Again(result));

        if (result >= 0)
        {
            return true;
        }

        Errno error = Call.Error;
        return Call.IsUnsupported(error) ? false : throw new LinuxException(error, operation, Path, offset);
    }
}
