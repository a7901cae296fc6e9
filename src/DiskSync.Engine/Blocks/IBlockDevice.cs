namespace DiskSync.Engine.Blocks;

/// <summary>An image that can be read and, where opened so, written: a raw file or a block device.</summary>
/// <remarks>
/// Offsets and lengths are bytes. Calls are synchronous (each worker has a thread of its own) and may come from
/// several threads at once on ranges that do not overlap. Nothing written is durable before <see cref="Flush"/>
/// has returned; a failed flush is final: every later flush of the same object fails too (safety rule 4).
/// Failures are <see cref="ImageIOException"/>, which names the side, the image, the offset and the next step.
/// Buffers must be aligned to <see cref="Alignment"/> (start, length and offset; the image's last bytes excepted).
/// </remarks>
public interface IBlockDevice : IDisposable
{
    /// <summary>The image as its user named it, for messages.</summary>
    string Name { get; }

    /// <summary>The length in bytes when the image was opened.</summary>
    long Length { get; }

    /// <summary>What buffers, offsets and lengths must be multiples of: 1, or the sector size under O_DIRECT.</summary>
    int Alignment { get; }

    /// <summary>The length in bytes now, to notice an image that grows or shrinks while it is copied.</summary>
    long CurrentLength();

    /// <summary>Makes sure that a path still leads to this very image: somebody may have put another file in its place by a rename.</summary>
    /// <param name="path">Where the image is expected.</param>
    /// <exception cref="ImageIOException">It leads to another file, or to none.</exception>
    void CheckIsAt(string path)
    {
        // What has no path cannot be replaced under it.
    }

    /// <summary>Whether reading or writing a range may have to wait for another host. Once it is false for a range it stays so.</summary>
    bool MayWait(long offset, long length, bool isWrite) => false;

    /// <summary>Fills the buffer from the image.</summary>
    /// <exception cref="ImageIOException">The range could not be read whole.</exception>
    void Read(long offset, Span<byte> buffer);

    /// <summary>Fills the buffer where that needs no waiting for a medium.</summary>
    /// <returns>False where it would have to wait, or nobody can tell; the buffer's content means nothing then.</returns>
    /// <exception cref="ImageIOException">The range could not be read.</exception>
    bool TryReadNow(long offset, Span<byte> buffer) => false;

    /// <summary>Writes the buffer to the image; not durable before <see cref="Flush"/>.</summary>
    /// <exception cref="ImageIOException">The range was not written whole.</exception>
    void Write(long offset, ReadOnlySpan<byte> data);

    /// <summary>Makes a range read as zeros, releasing its space where the image can and <paramref name="punch"/> allows.</summary>
    /// <exception cref="ImageIOException">The range could not be zeroed.</exception>
    void Zero(long offset, long length, bool punch);

    /// <summary>Makes a range read as zeros without writing them.</summary>
    /// <returns>False where the image cannot, or nobody knows whether it can; nothing was changed then.</returns>
    /// <exception cref="ImageIOException">It can, but failed.</exception>
    bool TryZeroFast(long offset, long length, bool punch) => false;

    /// <summary>Takes note that what a range holds is of no interest any more: a hole where the image can have them.</summary>
    /// <exception cref="ImageIOException">It can, but failed.</exception>
    void Discard(long offset, long length)
    {
        // A device keeps its content: nothing says what its discard would read as.
    }

    /// <summary>Makes everything written so far durable.</summary>
    /// <exception cref="ImageIOException">The flush failed, now or at any time before.</exception>
    void Flush();

    /// <summary>Has what was written to a range start on its way to the medium; a hint, which proves and waits for nothing.</summary>
    void BeginWriteback(long offset, long length)
    {
        // Where nothing is cached there is nothing to write.
    }

    /// <summary>Called before each pass over the image: what the page cache of a device holds is not believed from here on (safety rule 9).</summary>
    /// <remarks>Does nothing where reads are never stale, as of a regular file or past the cache.</remarks>
    /// <exception cref="ImageIOException">The cache cannot be dropped, so the image must not be read.</exception>
    void BeginPass()
    {
    }

    /// <summary>Drops cached pages of a range, so that the next read of it comes from the medium (best effort).</summary>
    void DropCache(long offset, long length);

    /// <summary>Fills an aligned buffer from the medium, whatever the page cache holds, and whatever is being written beside it.</summary>
    /// <param name="offset">Where to read, a multiple of 4,096.</param>
    /// <param name="buffer">Aligned to 4,096.</param>
    /// <returns>False where that cannot be done, or the read failed; the buffer's content means nothing then.</returns>
    bool TryReadPastCache(long offset, Span<byte> buffer) => false;

    /// <summary>Begins to read a range that will soon be asked for, where that can be done without waiting for it.</summary>
    void ReadAhead(long offset, long length)
    {
        // What has no cache has nowhere to read to.
    }

    /// <summary>The extents of a range in order, without gaps; where holes cannot be told, one data extent.</summary>
    IEnumerable<Extent> Extents(long offset, long length);

    /// <summary>Where the first data of a range is, at or past its start; null where all of it is holes.</summary>
    /// <exception cref="ImageIOException">The file system failed.</exception>
    long? NextData(long offset, long length)
    {
        foreach (Extent extent in Extents(offset, length))
        {
            if (extent.Kind == ExtentKind.Data)
            {
                return extent.Offset;
            }
        }

        return null;
    }
}
