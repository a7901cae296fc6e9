using DiskSync.Engine.Blocks;

namespace DiskSync.Engine.Tracking;

/// <summary>An image whose writes are tracked: whoever writes through it is fenced, slowed and written down by its tracker.</summary>
/// <remarks>
/// The order of safety rule 3: a bit is set after the write has been done and before its answer, whether it succeeded or
/// not. Whoever serves the image (NBD) knows nothing of it. Owns neither the image nor the tracker.
/// </remarks>
/// <param name="inner">The image.</param>
/// <param name="tracker">Its tracker.</param>
public sealed class TrackedDevice(IBlockDevice inner, WriteTracker tracker) : ForwardingDevice(inner)
{
    /// <inheritdoc/>
    public override void Write(long offset, ReadOnlySpan<byte> data)
    {
        long start = tracker.Begin(Inner, offset, data.Length);
        try
        {
            Inner.Write(offset, data);
        }
        finally
        {
            tracker.End(start, offset, data.Length);
        }
    }

    /// <inheritdoc/>
    public override void Zero(long offset, long length, bool punch)
    {
        long start = tracker.Begin(Inner, offset, length);
        try
        {
            Inner.Zero(offset, length, punch);
        }
        finally
        {
            tracker.End(start, offset, length);
        }
    }

    /// <inheritdoc/>
    public override bool TryZeroFast(long offset, long length, bool punch)
    {
        long start = tracker.Begin(Inner, offset, length);
        try
        {
            return Inner.TryZeroFast(offset, length, punch);
        }
        finally
        {
            tracker.End(start, offset, length);
        }
    }

    /// <inheritdoc/>
    public override void Discard(long offset, long length)
    {
        long start = tracker.Begin(Inner, offset, length);
        try
        {
            Inner.Discard(offset, length);
        }
        finally
        {
            tracker.End(start, offset, length);
        }
    }
}
