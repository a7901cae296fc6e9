using DiskSync.Linux.Native;

namespace DiskSync.Linux;

/// <content>Reading, writing and making durable.</content>
public sealed partial class LinuxFile
{
    /// <summary>Reads from an offset until the buffer is full or the file ends.</summary>
    /// <param name="buffer">Under O_DIRECT aligned in memory and in length; see <see cref="FileStat.DirectOffsetAlignment"/>.</param>
    /// <param name="offset">Bytes from the start.</param>
    /// <returns>The bytes read; fewer than asked for only where the file ends there.</returns>
    /// <exception cref="LinuxException">A read failed; its offset is the first byte that could not be read.</exception>
    public unsafe int ReadAt(Span<byte> buffer, long offset)
    {
        int done = 0;
        fixed (byte* start = buffer)
        {
            while (done < buffer.Length)
            {
                nint read;
                do
                {
                    read = FileCalls.Read(Handle, start + done, buffer.Length - done, offset + done);
                }
                while (Call.Again(read));

                if (read == 0)
                {
                    break;
                }

                if (read < 0)
                {
                    Errno error = Call.Error;
                    if (error == Errno.EINVAL && done > 0 && offset + done >= Length())
                    {
                        // O_DIRECT at the end of a file of odd length: the repeat is not aligned, and not needed.
                        break;
                    }

                    throw new LinuxException(error, "read", Path, offset + done);
                }

                done += (int)read;
            }
        }

        return done;
    }

    /// <summary>Reads exactly the buffer.</summary>
    /// <exception cref="EndOfStreamException">The file ends before; the message says where.</exception>
    /// <exception cref="LinuxException">A read failed.</exception>
    public void ReadExactlyAt(Span<byte> buffer, long offset)
    {
        int read = ReadAt(buffer, offset);
        if (read < buffer.Length)
        {
            throw new EndOfStreamException(
                $"read {Path}: the file ends at offset {offset + read}, {buffer.Length - read} bytes more were expected");
        }
    }

    /// <summary>Fills the buffer from the page cache, without waiting for a medium (preadv2(2), RWF_NOWAIT).</summary>
    /// <exception cref="LinuxException">The read failed.</exception>
    public unsafe ReadNow TryReadAtNow(Span<byte> buffer, long offset)
    {
        nint read;
        fixed (byte* start = buffer)
        {
            IoVector vector = new() { Start = start, Length = (nuint)buffer.Length };
            do
            {
                read = FileCalls.ReadVector(Handle, &vector, 1, offset, FileCalls.NoWait);
            }
            while (Call.Again(read));
        }

        if (read >= 0)
        {
            return read == buffer.Length ? ReadNow.Done : ReadNow.WouldWait;
        }

        Errno error = Call.Error;
        return error == Errno.EAGAIN ? ReadNow.WouldWait
            : Call.IsUnsupported(error) ? ReadNow.CannotTell
            : throw new LinuxException(error, "read", Path, offset);
    }

    /// <summary>Writes the whole buffer at an offset. Not durable before <see cref="DataSync"/>.</summary>
    /// <exception cref="LinuxException">A write failed; its offset is the first byte not written.</exception>
    public unsafe void WriteAt(ReadOnlySpan<byte> data, long offset)
    {
        int done = 0;
        fixed (byte* start = data)
        {
            while (done < data.Length)
            {
                nint written;
                do
                {
                    written = FileCalls.Write(Handle, start + done, data.Length - done, offset + done);
                }
                while (Call.Again(written));

                if (written <= 0)
                {
                    // A device that takes nothing without an error is at its end.
                    throw new LinuxException(written < 0 ? Call.Error : Errno.ENOSPC, "write", Path, offset + done);
                }

                done += (int)written;
            }
        }
    }

    /// <summary>Makes the data and what is needed to find it durable (fdatasync).</summary>
    /// <exception cref="LinuxException">
    /// It failed. The kernel may have dropped the pages that it could not write and report success next time: treat it as final.
    /// </exception>
    public void DataSync()
    {
        int result;
        do
        {
            result = FileCalls.DataSync(Handle);
        }
        while (Call.Again(result));
        ThrowIf(result < 0, "flush");
    }

    /// <summary>Makes data and all metadata durable (fsync); of a directory, its entries.</summary>
    /// <exception cref="LinuxException">As <see cref="DataSync"/>.</exception>
    public void Sync()
    {
        int result;
        do
        {
            result = FileCalls.Sync(Handle);
        }
        while (Call.Again(result));
        ThrowIf(result < 0, "flush");
    }

    /// <summary>Starts or awaits the writing of a range's cached pages. Makes nothing durable by itself.</summary>
    /// <param name="offset">First byte.</param>
    /// <param name="length">Bytes; 0 means to the end.</param>
    /// <param name="steps">What to do.</param>
    /// <exception cref="LinuxException">A page could not be written.</exception>
    public void SyncFileRange(long offset, long length, SyncRange steps)
    {
        int result;
        do
        {
            result = FileCalls.SyncRange(Handle, offset, length, (uint)steps);
        }
        while (Call.Again(result));
        ThrowIf(result < 0, "write back", offset);
    }

    /// <summary>Tells the page cache what comes next. Advice only: a refusal is no error.</summary>
    /// <param name="offset">First byte.</param>
    /// <param name="length">Bytes; 0 means to the end.</param>
    /// <param name="advice">The advice. <see cref="FileAdvice.DontNeed"/> drops clean pages only: flush before.</param>
    public void Advise(long offset, long length, FileAdvice advice) =>
        _ = FileCalls.Advise(Handle, offset, length, (int)advice);

    private void ThrowIf(bool failed, string operation, long offset = -1)
    {
        if (failed)
        {
            throw LinuxException.Last(operation, Path, offset);
        }
    }
}
