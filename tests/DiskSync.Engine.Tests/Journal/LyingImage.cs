using DiskSync.Engine.Blocks;

namespace DiskSync.Engine.Tests.Journal;

/// <summary>An image whose medium stores one bit wrong in a chosen place, which nobody sees before the cache is dropped.</summary>
/// <remarks>As on Linux, only what was flushed can be dropped from the cache. Disposing does nothing.</remarks>
internal sealed class LyingImage(long length, long wrongAt) : IBlockDevice
{
    private readonly byte[] _cache = new byte[length];
    private readonly byte[] _medium = new byte[length];
    private bool _isDirty;

    public string Name => "lying image";

    public long Length => _cache.Length;

    public int Alignment => 1;

    /// <summary>Whether the medium still stores the bit wrong; a disk that has been repaired does not.</summary>
    public bool Lies { get; set; } = true;

    public ReadOnlySpan<byte> Medium => _medium;

    public long CurrentLength() => Length;

    public void Read(long offset, Span<byte> buffer) => _cache.AsSpan((int)offset, buffer.Length).CopyTo(buffer);

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        data.CopyTo(_cache.AsSpan((int)offset));
        _isDirty = true;
    }

    public void Zero(long offset, long length, bool punch)
    {
        _cache.AsSpan((int)offset, (int)length).Clear();
        _isDirty = true;
    }

    public void Flush()
    {
        if (!_isDirty)
        {
            return;
        }

        _cache.CopyTo(_medium, 0);
        _medium[wrongAt] ^= Lies ? (byte)1 : (byte)0;
        _isDirty = false;
    }

    public void DropCache(long offset, long length)
    {
        if (!_isDirty)
        {
            _medium.AsSpan((int)offset, (int)length).CopyTo(_cache.AsSpan((int)offset));
        }
    }

    public IEnumerable<Extent> Extents(long offset, long length) => [new Extent(offset, length, ExtentKind.Data)];

    public void Dispose()
    {
        // The test looks at the medium afterwards.
    }
}
