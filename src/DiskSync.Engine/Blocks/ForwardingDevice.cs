namespace DiskSync.Engine.Blocks;

/// <summary>A device in front of another: everything goes on to it that a derived class does not take for itself.</summary>
/// <remarks>
/// So that no decorator forgets one of the members that the interface has a default for, and so hides what the image can.
/// The image stays its opener's: disposing this does not close it.
/// </remarks>
/// <param name="inner">The image.</param>
public abstract class ForwardingDevice(IBlockDevice inner) : IBlockDevice
{
    /// <inheritdoc/>
    public string Name => Inner.Name;

    /// <inheritdoc/>
    public long Length => Inner.Length;

    /// <inheritdoc/>
    public int Alignment => Inner.Alignment;

    /// <summary>The image.</summary>
    protected IBlockDevice Inner { get; } = inner;

    /// <inheritdoc/>
    public long CurrentLength() => Inner.CurrentLength();

    /// <inheritdoc/>
    public void CheckIsAt(string path) => Inner.CheckIsAt(path);

    /// <inheritdoc/>
    public virtual bool MayWait(long offset, long length, bool isWrite) => Inner.MayWait(offset, length, isWrite);

    /// <inheritdoc/>
    public virtual void Read(long offset, Span<byte> buffer) => Inner.Read(offset, buffer);

    /// <inheritdoc/>
    public virtual bool TryReadNow(long offset, Span<byte> buffer) => Inner.TryReadNow(offset, buffer);

    /// <inheritdoc/>
    public virtual void Write(long offset, ReadOnlySpan<byte> data) => Inner.Write(offset, data);

    /// <inheritdoc/>
    public virtual void Zero(long offset, long length, bool punch) => Inner.Zero(offset, length, punch);

    /// <inheritdoc/>
    public virtual bool TryZeroFast(long offset, long length, bool punch) => Inner.TryZeroFast(offset, length, punch);

    /// <inheritdoc/>
    public virtual void Discard(long offset, long length) => Inner.Discard(offset, length);

    /// <inheritdoc/>
    public virtual void Flush() => Inner.Flush();

    /// <inheritdoc/>
    public void BeginWriteback(long offset, long length) => Inner.BeginWriteback(offset, length);

    /// <inheritdoc/>
    public void BeginPass() => Inner.BeginPass();

    /// <inheritdoc/>
    public void DropCache(long offset, long length) => Inner.DropCache(offset, length);

    /// <inheritdoc/>
    public virtual bool TryReadPastCache(long offset, Span<byte> buffer) => Inner.TryReadPastCache(offset, buffer);

    /// <inheritdoc/>
    public virtual void ReadAhead(long offset, long length) => Inner.ReadAhead(offset, length);

    /// <inheritdoc/>
    public virtual IEnumerable<Extent> Extents(long offset, long length) => Inner.Extents(offset, length);

    /// <inheritdoc/>
    /// <remarks>Whoever overrides <see cref="Extents"/> overrides this, too.</remarks>
    public virtual long? NextData(long offset, long length) => Inner.NextData(offset, length);

    /// <inheritdoc/>
    public virtual void Dispose() => GC.SuppressFinalize(this);
}
