using DiskSync.Engine.Blocks;

namespace DiskSync.Engine.Tracking;

/// <summary>An image whose writes are tracked: whoever writes through it is fenced, slowed and written down by its tracker.</summary>
/// <remarks>
/// The order of safety rule 3: a bit is set after the write has been done and before its answer, whether it succeeded or
/// not. Whoever serves the image (NBD) knows nothing of it. Owns neither the image nor the tracker.
/// </remarks>
/// <param name="inner">The image.</param>
/// <param name="tracker">Its tracker.</param>
public sealed class TrackedDevice(IBlockDevice inner, WriteTracker tracker) : IBlockDevice
{
    /// <inheritdoc/>
    public string Name => inner.Name;

    /// <inheritdoc/>
    public long Length => inner.Length;

    /// <inheritdoc/>
    public int Alignment => inner.Alignment;

    /// <inheritdoc/>
    public long CurrentLength() => inner.CurrentLength();

    /// <inheritdoc/>
    public void CheckIsAt(string path) => inner.CheckIsAt(path);

    /// <inheritdoc/>
    public void Read(long offset, Span<byte> buffer) => inner.Read(offset, buffer);

    /// <inheritdoc/>
    public bool TryReadNow(long offset, Span<byte> buffer) => inner.TryReadNow(offset, buffer);

    /// <inheritdoc/>
    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        long start = tracker.Begin(inner, offset, data.Length);
        try
        {
            inner.Write(offset, data);
        }
        finally
        {
            tracker.End(start, offset, data.Length);
        }
    }

    /// <inheritdoc/>
    public void Zero(long offset, long length, bool punch)
    {
        long start = tracker.Begin(inner, offset, length);
        try
        {
            inner.Zero(offset, length, punch);
        }
        finally
        {
            tracker.End(start, offset, length);
        }
    }

    /// <inheritdoc/>
    public bool TryZeroFast(long offset, long length, bool punch)
    {
        long start = tracker.Begin(inner, offset, length);
        try
        {
            return inner.TryZeroFast(offset, length, punch);
        }
        finally
        {
            tracker.End(start, offset, length);
        }
    }

    /// <inheritdoc/>
    public void Discard(long offset, long length)
    {
        long start = tracker.Begin(inner, offset, length);
        try
        {
            inner.Discard(offset, length);
        }
        finally
        {
            tracker.End(start, offset, length);
        }
    }

    /// <inheritdoc/>
    public void Flush() => inner.Flush();

    /// <inheritdoc/>
    public void BeginWriteback(long offset, long length) => inner.BeginWriteback(offset, length);

    /// <inheritdoc/>
    public void BeginPass() => inner.BeginPass();

    /// <inheritdoc/>
    public void DropCache(long offset, long length) => inner.DropCache(offset, length);

    /// <inheritdoc/>
    public bool TryReadPastCache(long offset, Span<byte> buffer) => inner.TryReadPastCache(offset, buffer);

    /// <inheritdoc/>
    public void ReadAhead(long offset, long length) => inner.ReadAhead(offset, length);

    /// <inheritdoc/>
    public IEnumerable<Extent> Extents(long offset, long length) => inner.Extents(offset, length);

    /// <inheritdoc/>
    public long? NextData(long offset, long length) => inner.NextData(offset, length);

    /// <summary>Does nothing: the image is its opener's.</summary>
    public void Dispose()
    {
    }
}
