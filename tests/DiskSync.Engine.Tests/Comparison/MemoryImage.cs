using DiskSync.Engine.Blocks;

namespace DiskSync.Engine.Tests.Comparison;

/// <summary>An image in memory, with holes where its pages were never written.</summary>
internal sealed class MemoryImage(byte[] content, bool[]? pageIsData = null) : IBlockDevice
{
    private const int Page = 4096;

    public byte[] Content { get; private set; } = content;

    public string Name { get; init; } = "memory";

    public long Length => Content.Length;

    public int Alignment => 1;

    public long BytesRead { get; private set; }

    public int Writes { get; private set; }

    public int Flushes { get; private set; }

    public long? LengthLater { get; init; }

    public long FailsAt { get; init; } = -1;

    /// <summary>A random image whose holes really are zeros.</summary>
    public static MemoryImage Random(Random random, int length, double dataShare)
    {
        byte[] content = new byte[length];
        bool[] data = new bool[(length + Page - 1) / Page];
        bool now = random.NextDouble() < dataShare;
        for (int page = 0; page < data.Length; page++)
        {
            if (random.Next(4) == 0)
            {
                now = random.NextDouble() < dataShare;
            }

            data[page] = now;
            if (now && random.Next(8) != 0)
            {
                random.NextBytes(content.AsSpan(page * Page, Math.Min(Page, length - (page * Page))));
            }
        }

        return new MemoryImage(content, data);
    }

    /// <summary>A copy with some changes: bytes, whole pages, punched pages, another length.</summary>
    public MemoryImage Changed(Random random, int newLength)
    {
        byte[] next = new byte[newLength];
        Content.AsSpan(0, Math.Min(newLength, Content.Length)).CopyTo(next);
        bool[] data = new bool[(newLength + Page - 1) / Page];
        for (int page = 0; page < data.Length; page++)
        {
            data[page] = pageIsData is null || (page < pageIsData.Length && pageIsData[page]);
        }

        for (int i = random.Next(12); i > 0 && newLength > 0; i--)
        {
            int at = random.Next(newLength);
            int page = at / Page;
            switch (random.Next(3))
            {
                case 0:
                    next[at] ^= 1;
                    data[page] = true;
                    break;
                case 1:
                    random.NextBytes(next.AsSpan(at, Math.Min(random.Next(3 * Page), newLength - at)));
                    Array.Fill(data, true, page, Math.Min(4, data.Length - page));
                    break;
                default:
                    next.AsSpan(page * Page, Math.Min(Page, newLength - (page * Page))).Clear();
                    data[page] = false;
                    break;
            }
        }

        return new MemoryImage(next, data);
    }

    public long CurrentLength() => LengthLater ?? Length;

    public void Read(long offset, Span<byte> buffer)
    {
        if (FailsAt >= offset && FailsAt < offset + buffer.Length)
        {
            throw new ImageIOException(Side.Source, Name, FailsAt, "read", "Input/output error", "Replace the disk.");
        }

        lock (Content)
        {
            BytesRead += buffer.Length;
        }

        Content.AsSpan((int)offset, buffer.Length).CopyTo(buffer);
    }

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        Writes++;
        data.CopyTo(Content.AsSpan((int)offset));
    }

    public void Zero(long offset, long length, bool punch)
    {
        Writes++;
        Content.AsSpan((int)offset, (int)length).Clear();
    }

    public void Flush() => Flushes++;

    public void DropCache(long offset, long length)
    {
    }

    public IEnumerable<Extent> Extents(long offset, long length)
    {
        long at = offset;
        while (at < offset + length)
        {
            bool data = pageIsData is null || pageIsData[at / Page];
            long end = Math.Min(offset + length, ((at / Page) + 1) * Page);
            while (end < offset + length && (pageIsData is null || pageIsData[end / Page]) == data)
            {
                end = Math.Min(offset + length, end + Page);
            }

            yield return new Extent(at, end - at, data ? ExtentKind.Data : ExtentKind.Hole);
            at = end;
        }
    }

    public void Dispose()
    {
    }
}
