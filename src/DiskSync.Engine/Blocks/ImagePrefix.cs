namespace DiskSync.Engine.Blocks;

/// <summary>The first bytes of an image, as an image that can be read: what a device longer than its image holds of it.</summary>
/// <param name="inner">The whole; stays its opener's.</param>
/// <param name="length">Bytes, at most those of the whole.</param>
internal sealed class ImagePrefix(IBlockDevice inner, long length) : IBlockDevice
{
    /// <inheritdoc/>
    public string Name => inner.Name;

    /// <inheritdoc/>
    public long Length => length;

    /// <inheritdoc/>
    public int Alignment => inner.Alignment;

    /// <inheritdoc/>
    public long CurrentLength() => Math.Min(length, inner.CurrentLength());

    /// <inheritdoc/>
    public void Read(long offset, Span<byte> buffer) => inner.Read(offset, buffer);

    /// <inheritdoc/>
    public void Write(long offset, ReadOnlySpan<byte> data) => throw new NotSupportedException("a prefix is only read");

    /// <inheritdoc/>
    public void Zero(long offset, long length, bool punch) => throw new NotSupportedException("a prefix is only read");

    /// <inheritdoc/>
    public void Flush() => inner.Flush();

    /// <inheritdoc/>
    public void DropCache(long offset, long length) => inner.DropCache(offset, length);

    /// <inheritdoc/>
    public IEnumerable<Extent> Extents(long offset, long length) => inner.Extents(offset, length);

    /// <inheritdoc/>
    public long? NextData(long offset, long length) => inner.NextData(offset, length);

    /// <inheritdoc/>
    public void Dispose()
    {
        // The whole is its opener's.
    }
}
