using DiskSync.Engine.Blocks;

namespace DiskSync.Handoff.Tests.Migration;

/// <summary>An image whose reading fails with something that nobody has foreseen, once it is told to.</summary>
/// <param name="inner">The image.</param>
/// <param name="isTime">Whether it is time.</param>
internal sealed class BuggySource(IBlockDevice inner, Func<bool> isTime) : IBlockDevice
{
    public string Name => inner.Name;

    public long Length => inner.Length;

    public int Alignment => inner.Alignment;

    public long CurrentLength() => inner.CurrentLength();

    public void Read(long offset, Span<byte> buffer) => inner.Read(offset, buffer);

    public void Write(long offset, ReadOnlySpan<byte> data) => inner.Write(offset, data);

    public void Zero(long offset, long length, bool punch) => inner.Zero(offset, length, punch);

    public void Flush() => inner.Flush();

    public void DropCache(long offset, long length) => inner.DropCache(offset, length);

    public IEnumerable<Extent> Extents(long offset, long length) =>
        isTime() ? throw new InvalidOperationException("a bug") : inner.Extents(offset, length);

    public void Dispose() => inner.Dispose();
}
