using DiskSync.Linux;

namespace DiskSync.Engine.Blocks;

/// <summary>What regular files and block devices have in common: reading, writing, one kind of error, and flushes that fail for good.</summary>
/// <remarks>Thread safe as <see cref="IBlockDevice"/> says. Owns the open file.</remarks>
public abstract class LinuxBlockDevice : IBlockDevice
{
    private const int Probe = 4096;
    private readonly Side _side;
    private readonly Lock _flushLock = new();
    private string? _flushFailure;

    private protected LinuxBlockDevice(LinuxFile file, string name, Side side, int alignment)
    {
        File = file;
        Name = name;
        _side = side;
        Alignment = alignment;
        Length = Try("look at", -1, file.Length);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public long Length { get; private protected set; }

    /// <inheritdoc/>
    public int Alignment { get; }

    private protected LinuxFile File { get; }

    /// <inheritdoc/>
    public long CurrentLength() => Try("look at", -1, File.Length);

    /// <inheritdoc/>
    public void CheckIsAt(string path)
    {
        FileStat? there = Try("look at", -1, () => FileStat.IfExists(path));
        if (there?.IsSameFileAs(Try("look at", -1, File.Stat)) != true)
        {
            throw new ImageIOException(
                _side, Name, -1, "copy", $"{path} {(there is null ? "is gone" : "is another file now")} than the one that was opened",
                "Something replaces or moves the image; stop it, then run the same command again.");
        }
    }

    /// <inheritdoc/>
    public void Read(long offset, Span<byte> buffer)
    {
        int read;
        try
        {
            read = ReadRaw(buffer, offset);
        }
        catch (LinuxException exception)
        {
            throw Failed("read", FirstUnreadable(Math.Max(offset, exception.Offset), offset + buffer.Length, buffer), exception);
        }

        if (read < buffer.Length)
        {
            throw new ImageIOException(
                _side, Name, offset + read, "read", $"the image ends there; it had {Length} bytes when it was opened",
                "Find out what shortens the image, then run the same command again.");
        }
    }

    /// <inheritdoc/>
    public virtual bool TryReadNow(long offset, Span<byte> buffer) => false;

    /// <inheritdoc/>
    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        try
        {
            WriteRaw(data, offset);
        }
        catch (LinuxException exception)
        {
            throw Failed("write", Math.Max(offset, exception.Offset), exception);
        }
    }

    /// <inheritdoc/>
    public abstract void Zero(long offset, long length, bool punch);

    /// <inheritdoc/>
    public virtual bool TryZeroFast(long offset, long length, bool punch) => false;

    /// <inheritdoc/>
    public virtual void Discard(long offset, long length)
    {
        // See the interface.
    }

    /// <inheritdoc/>
    public void Flush()
    {
        // The kernel reports a lost write once and then forgets it; we do not (safety rule 4). One flush at a time, or
        // a second one could succeed while the first one is being told of the loss.
        lock (_flushLock)
        {
            if (_flushFailure is not null)
            {
                throw new ImageIOException(
                    _side, Name, -1, "flush", $"an earlier flush failed ({_flushFailure}), so what was written before it may be lost",
                    "Check the storage, then run the command again.");
            }

            try
            {
                File.DataSync();
            }
            catch (LinuxException exception)
            {
                _flushFailure = exception.Reason;
                throw Failed("flush", -1, exception);
            }
        }
    }

    /// <inheritdoc/>
    public virtual void BeginPass()
    {
    }

    /// <inheritdoc/>
    public virtual void DropCache(long offset, long length) =>
        File.Advise(offset, length, FileAdvice.DontNeed);

    /// <inheritdoc/>
    public virtual void BeginWriteback(long offset, long length)
    {
        // Past the cache there is nothing to write back.
    }

    /// <inheritdoc/>
    public virtual void ReadAhead(long offset, long length) =>
        File.Advise(offset, length, FileAdvice.WillNeed);

    /// <inheritdoc/>
    public abstract bool TryReadPastCache(long offset, Span<byte> buffer);

    /// <inheritdoc/>
    public abstract IEnumerable<Extent> Extents(long offset, long length);

    /// <inheritdoc/>
    public abstract long? NextData(long offset, long length);

    /// <inheritdoc/>
    public virtual void Dispose()
    {
        File.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Reads as much as there is, however the image must be read.</summary>
    private protected virtual int ReadRaw(Span<byte> buffer, long offset) => File.ReadAt(buffer, offset);

    /// <summary>Writes everything, however the image must be written.</summary>
    private protected virtual void WriteRaw(ReadOnlySpan<byte> data, long offset) => File.WriteAt(data, offset);

    private protected ImageIOException Failed(string operation, long offset, LinuxException exception) =>
        new(_side, Name, offset, operation, Reason(exception), Advice(exception), exception);

    private protected T Try<T>(string operation, long offset, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (LinuxException exception)
        {
            throw Failed(operation, offset, exception);
        }
    }

    /// <summary>A large read fails as a whole; the message should name the bad sector.</summary>
    private long FirstUnreadable(long from, long end, Span<byte> buffer)
    {
        for (long offset = from; offset < end; offset += Probe)
        {
            try
            {
                ReadRaw(buffer[..(int)Math.Min(Probe, end - offset)], offset);
            }
            catch (LinuxException exception)
            {
                return Math.Max(offset, exception.Offset);
            }
        }

        return from;
    }

    private static string Reason(LinuxException exception) =>
        exception.IsDenied ? $"{exception.Reason}, as user {UserLookup.EffectiveUserName}" : exception.Reason;

    private string Advice(LinuxException exception) => exception switch
    {
        { IsFull: true } => "Free space there, then run the same command again: it goes on from what is durable.",
        { IsDenied: true } => AccessAdvice.For(exception, Name),
        { Errno: Errno.EIO } => _side == Side.Source
            ? "The source's storage cannot read there: look at the kernel log, repair or replace it (ddrescue saves what can be read)."
            : "The destination's storage failed: look at the kernel log before trying again.",
        _ => "Look at the kernel log of that host, then run the same command again.",
    };
}
