using DiskSync.Engine.Blocks;

namespace DiskSync.Engine.Tests.Tracking;

/// <summary>A device whose every write fails half way.</summary>
internal sealed class FailingDevice(IBlockDevice inner) : IBlockDevice
{
    public string Name => inner.Name;

    public long Length => inner.Length;

    public int Alignment => inner.Alignment;

    public long CurrentLength() => inner.CurrentLength();

    public void Read(long offset, Span<byte> buffer) => inner.Read(offset, buffer);

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        inner.Write(offset, data[..(data.Length / 2)]);
        throw Failed("write", offset);
    }

    public void Zero(long offset, long length, bool punch) => throw Failed("zero", offset);

    public void Flush() => inner.Flush();

    public void DropCache(long offset, long length) => inner.DropCache(offset, length);

    public IEnumerable<Extent> Extents(long offset, long length) => inner.Extents(offset, length);

    public void Dispose()
    {
    }

    private ImageIOException Failed(string operation, long offset) =>
        new(Side.Source, Name, offset, operation, "made to fail", "Nothing.");
}
