using DiskSync.Engine.Blocks;

namespace DiskSync.Engine.Tail;

/// <summary>Counts what is written to an image while parts of it are missing; after that it only passes on.</summary>
/// <param name="device">The image; stays its opener's.</param>
/// <param name="counter">Where; stays its opener's.</param>
internal sealed class WriteCountingDevice(TailDevice device, WrittenCounter counter) : ForwardingDevice(device)
{
    /// <inheritdoc/>
    public override void Write(long offset, ReadOnlySpan<byte> data)
    {
        Count(offset, data.Length);
        Inner.Write(offset, data);
    }

    /// <inheritdoc/>
    public override void Zero(long offset, long length, bool punch)
    {
        Count(offset, length);
        Inner.Zero(offset, length, punch);
    }

    /// <inheritdoc/>
    public override bool TryZeroFast(long offset, long length, bool punch)
    {
        Count(offset, length);
        return Inner.TryZeroFast(offset, length, punch);
    }

    /// <inheritdoc/>
    public override void Discard(long offset, long length)
    {
        Count(offset, length);
        Inner.Discard(offset, length);
    }

    /// <inheritdoc/>
    public override void Flush()
    {
        if (!device.IsWhole)
        {
            counter.Note();
        }

        Inner.Flush();
    }

    private void Count(long offset, long length)
    {
        if (device.IsWhole)
        {
            return;
        }

        try
        {
            counter.Add(length);
        }
        catch (DiskSyncException exception)
        {
            throw new ImageIOException(Side.Destination, Name, offset, "write", exception.Message, exception.Advice, exception);
        }
    }
}
