using DiskSync.Linux.Native;

namespace DiskSync.Linux;

/// <summary>Makes an empty file a copy of another file or of a block device, in the cheapest way the file system has.</summary>
public static class FileCloner
{
    /// <summary>The most that one copy_file_range is asked for: between two of them we can be cancelled.</summary>
    private const long KernelChunk = 16 << 20;

    private const int CopyChunk = 1 << 20;

    /// <summary>Zeros are looked for in pieces of this size; a finer comb makes slow, fragmented files.</summary>
    private const int ZeroPiece = 64 << 10;

    /// <summary>Copies content and length; holes stay holes.</summary>
    /// <param name="source">A regular file or block device that is open for reading; O_DIRECT is fine.</param>
    /// <param name="destination">An empty regular file that is open for reading and writing, without O_DIRECT.</param>
    /// <param name="progress">Called on this thread with the bytes of the source that are done so far, holes included.</param>
    /// <param name="cancellationToken">Asked every few MiB; the destination is then incomplete.</param>
    /// <returns>The way that was taken to the end; it falls back from one to the next.</returns>
    /// <remarks>
    /// Nothing is durable before <see cref="LinuxFile.DataSync"/>. A source that is written meanwhile gives a mix of
    /// old and new. After any exception the destination must be thrown away.
    /// </remarks>
    /// <exception cref="ArgumentException">The destination is not an empty regular file.</exception>
    /// <exception cref="LinuxException">A read or write failed.</exception>
    /// <exception cref="EndOfStreamException">The source shrank.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static CloneMethod Clone(
        LinuxFile source,
        LinuxFile destination,
        Action<long>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(destination);
        FileStat target = destination.Stat();
        if (target.Kind != FileKind.Regular || target.Size != 0)
        {
            throw new ArgumentException($"{destination.Path} is not an empty regular file", nameof(destination));
        }

        cancellationToken.ThrowIfCancellationRequested();
        FileKind kind = source.Stat().Kind;
        if (kind == FileKind.Regular && TryReflink(source, destination))
        {
            progress?.Invoke(source.Length());
            return CloneMethod.Reflink;
        }

        long length = source.Length();
        destination.SetLength(length);
        bool inKernel = kind == FileKind.Regular;
        AlignedBuffer? buffer = null;
        try
        {
            foreach (HoleRange range in HoleScanner.Scan(source, 0, length))
            {
                long position = range.IsData ? range.Offset : range.Offset + range.Length;
                long end = range.Offset + range.Length;
                while (position < end)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    if (inKernel)
                    {
                        long copied = CopyInKernel(source, destination, position, end);
                        inKernel = copied > 0;
                        position += copied;
                    }
                    else
                    {
                        buffer ??= new AlignedBuffer(CopyChunk);
                        position += CopyHere(source, destination, buffer.Span, position, end);
                    }

                    progress?.Invoke(position);
                }

                progress?.Invoke(end);
            }
        }
        finally
        {
            buffer?.Dispose();
        }

        return inKernel ? CloneMethod.CopyFileRange : CloneMethod.Copy;
    }

    /// <summary>Has two files share their content, where the file system can; nothing is read or written.</summary>
    /// <param name="source">A regular file that is open for reading.</param>
    /// <param name="destination">Another, open for writing; what it held goes.</param>
    /// <returns>Whether it could.</returns>
    /// <exception cref="LinuxException">It failed.</exception>
    public static bool TryReflink(LinuxFile source, LinuxFile destination)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(destination);
        int result;
        bool referenced = false;
        source.Handle.DangerousAddRef(ref referenced);
        try
        {
            do
            {
                result = Ioctls.Control(destination.Handle, Ioctls.CloneFile, source.Handle.DangerousGetHandle());
            }
            while (Call.Again(result));
        }
        finally
        {
            source.Handle.DangerousRelease();
        }

        return result >= 0
            || (CannotHere(Call.Error) ? false : throw LinuxException.Last("clone", $"{source.Path} to {destination.Path}"));
    }

    /// <returns>The bytes copied, or 0 where the kernel cannot do it between these two.</returns>
    private static long CopyInKernel(LinuxFile source, LinuxFile destination, long position, long end)
    {
        nint copied;
        do
        {
            long from = position;
            long to = position;
            copied = FileCalls.CopyRange(
                source.Handle, ref from, destination.Handle, ref to, (nint)Math.Min(KernelChunk, end - position), 0);
        }
        while (Call.Again(copied));

        // 0 is either a source that shrank, which a plain read then tells, or one of the kernels that say so wrongly.
        return copied >= 0 ? copied
            : CannotHere(Call.Error) ? 0
            : throw LinuxException.Last("copy", $"{source.Path} to {destination.Path}", position);
    }

    private static int CopyHere(LinuxFile source, LinuxFile destination, Span<byte> buffer, long position, long end)
    {
        int wanted = (int)Math.Min(buffer.Length, end - position);

        // A whole page more or less is asked for at the end, because O_DIRECT takes no odd lengths.
        int aligned = (wanted + AlignedBuffer.Alignment - 1) / AlignedBuffer.Alignment * AlignedBuffer.Alignment;
        int read = Math.Min(wanted, source.ReadAt(buffer[..aligned], position));
        if (read < wanted)
        {
            throw new EndOfStreamException(
                $"copy {source.Path}: it shrank to {position + read} bytes while it was copied");
        }

        for (int at = 0; at < read; at += ZeroPiece)
        {
            ReadOnlySpan<byte> piece = buffer[at..Math.Min(read, at + ZeroPiece)];
            if (piece.ContainsAnyExcept((byte)0))
            {
                destination.WriteAt(piece, position + at);
            }
        }

        return read;
    }

    /// <summary>Errors by which kernels say that a clone is not possible between these two, rather than that it failed.</summary>
    private static bool CannotHere(Errno errno) =>
        Call.IsUnsupported(errno) || errno is Errno.EXDEV or Errno.EINVAL or Errno.ETXTBSY or Errno.EPERM;
}
