using DiskSync.Engine.Blocks;

namespace DiskSync.Engine.Tail;

/// <summary>Counts what is read of an image.</summary>
/// <param name="image">The image; stays its opener's.</param>
internal sealed class ReadCounter(IBlockDevice image) : ForwardingDevice(image)
{
    private long _bytes;

    /// <summary>Bytes read so far.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <inheritdoc/>
    public override void Read(long offset, Span<byte> buffer)
    {
        Inner.Read(offset, buffer);
        Interlocked.Add(ref _bytes, buffer.Length);
    }

    /// <inheritdoc/>
    public override bool TryReadNow(long offset, Span<byte> buffer)
    {
        bool isRead = Inner.TryReadNow(offset, buffer);
        Interlocked.Add(ref _bytes, isRead ? buffer.Length : 0);
        return isRead;
    }
}
