using DiskSync.Linux;

namespace DiskSync.Engine.Blocks;

/// <summary>An image in a regular file, through the page cache.</summary>
/// <remarks>Holes are told by SEEK_HOLE and made by punching; a file system that cannot do either gets zeros written.</remarks>
public sealed class FileBlockDevice : LinuxBlockDevice
{
    private const int ZeroChunk = 1 << 20;
    private static readonly byte[] Zeros = new byte[ZeroChunk];
    private readonly Lock _lock = new();

    // Opened at the first read past the cache; O_DIRECT is a property of the open file, and all others want the cache.
    private LinuxFile? _direct;
    private bool _isDirectRefused;

    // What reads without waiting come to where the file system cannot tell; null until it has said so.
    private bool? _isAlwaysNow;

    /// <summary>Wraps an open regular file, which it owns from now on.</summary>
    /// <param name="file">The file.</param>
    /// <param name="name">How messages call it.</param>
    /// <param name="side">The side that it is on.</param>
    public FileBlockDevice(LinuxFile file, string name, Side side)
        : base(file, name, side, alignment: 1)
    {
    }

    /// <summary>The open file, for locking, cloning and renaming; stays this object's.</summary>
    public LinuxFile Handle => File;

    /// <summary>Cuts the image off or lengthens it with a hole.</summary>
    /// <exception cref="ImageIOException">The length could not be set.</exception>
    public void SetLength(long length)
    {
        try
        {
            File.SetLength(length);
            Length = length;
        }
        catch (LinuxException exception)
        {
            throw Failed("resize", length, exception);
        }
    }

    /// <inheritdoc/>
    /// <remarks>A tmpfs may not tell, but has nothing to wait for either.</remarks>
    public override bool TryReadNow(long offset, Span<byte> buffer)
    {
        try
        {
            if (_isAlwaysNow is null)
            {
                ReadNow read = File.TryReadAtNow(buffer, offset);
                if (read != ReadNow.CannotTell)
                {
                    return read == ReadNow.Done;
                }

                _isAlwaysNow = FileSystemIdentity.Of(File).IsInMemory;
            }
        }
        catch (LinuxException exception)
        {
            throw Failed("read", Math.Max(offset, exception.Offset), exception);
        }

        if (_isAlwaysNow == true)
        {
            Read(offset, buffer);
            return true;
        }

        return false;
    }

    /// <inheritdoc/>
    public override void Zero(long offset, long length, bool punch)
    {
        if (TryZeroFast(offset, length, punch))
        {
            return;
        }

        try
        {
            while (length > 0)
            {
                int count = (int)Math.Min(length, ZeroChunk);
                File.WriteAt(Zeros.AsSpan(0, count), offset);
                offset += count;
                length -= count;
            }
        }
        catch (LinuxException exception)
        {
            throw Failed("zero", Math.Max(offset, exception.Offset), exception);
        }
    }

    /// <inheritdoc/>
    public override bool TryZeroFast(long offset, long length, bool punch) => Try(
        "zero", offset, () => punch ? File.TryPunchHole(offset, length) : File.TryZeroRange(offset, length));

    /// <inheritdoc/>
    public override void Discard(long offset, long length) => Zero(offset, length, punch: true);

    /// <inheritdoc/>
    public override void BeginWriteback(long offset, long length)
    {
        try
        {
            File.SyncFileRange(offset, Math.Min(length, Length - offset), SyncRange.Write);
        }
        catch (LinuxException)
        {
            // The flush says what is wrong, and is the one that counts.
        }
    }

    /// <inheritdoc/>
    /// <remarks>O_DIRECT; a tmpfs takes the flag and has no other medium than its cache.</remarks>
    public override bool TryReadPastCache(long offset, Span<byte> buffer)
    {
        if (buffer.Length % AlignedBuffer.Alignment != 0 || Direct() is not { } direct)
        {
            return false;
        }

        try
        {
            // Where O_DIRECT falls back to the cache by itself, as btrfs does for what is compressed.
            DropCache(offset, buffer.Length);
            return direct.ReadAt(buffer, offset) == buffer.Length;
        }
        catch (LinuxException exception)
        {
            _isDirectRefused |= exception.Errno == Errno.EINVAL;
            return false;
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<Extent> Extents(long offset, long length)
    {
        using IEnumerator<HoleRange> ranges = HoleScanner.Scan(File, offset, length).GetEnumerator();
        while (Try("look for the holes of", offset, ranges.MoveNext))
        {
            HoleRange range = ranges.Current;
            yield return new Extent(range.Offset, range.Length, range.IsData ? ExtentKind.Data : ExtentKind.Hole);
        }
    }

    /// <inheritdoc/>
    /// <remarks>Does not ask where the data ends, which some file systems look for page by page to the end of the file.</remarks>
    public override long? NextData(long offset, long length)
    {
        long data = Try("look for the holes of", offset, () => File.TrySeekData(offset, out long found) ? found : offset);
        return data >= 0 && data < offset + length ? data : null;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _direct?.Dispose();
        base.Dispose();
    }

    private LinuxFile? Direct()
    {
        lock (_lock)
        {
            if (_isDirectRefused)
            {
                return null;
            }

            try
            {
                return _direct ??= File.Reopen(LinuxOpen.ReadOnly | LinuxOpen.Direct);
            }
            catch (LinuxException)
            {
                // The file system does not know O_DIRECT, or there is no /proc.
                _isDirectRefused = true;
                return null;
            }
        }
    }
}
