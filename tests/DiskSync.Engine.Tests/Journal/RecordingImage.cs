using DiskSync.Engine.Blocks;

namespace DiskSync.Engine.Tests.Journal;

/// <summary>An image in memory that remembers where it was written.</summary>
internal sealed class RecordingImage(long length) : IBlockDevice
{
    private readonly byte[] _content = new byte[length];

    public string Name => "recording image";

    public long Length => _content.Length;

    public int Alignment => 1;

    public List<(int Offset, int Length)> Writes { get; } = [];

    public long CurrentLength() => Length;

    public void Read(long offset, Span<byte> buffer) => _content.AsSpan((int)offset, buffer.Length).CopyTo(buffer);

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        data.CopyTo(_content.AsSpan((int)offset));
        Writes.Add(((int)offset, data.Length));
    }

    public void Zero(long offset, long length, bool punch) => _content.AsSpan((int)offset, (int)length).Clear();

    public void Flush()
    {
        // It is durable as it is.
    }

    public void DropCache(long offset, long length)
    {
        // There is none.
    }

    public IEnumerable<Extent> Extents(long offset, long length) => [new Extent(offset, length, ExtentKind.Data)];

    public void Dispose()
    {
        // The test looks at it afterwards.
    }
}
