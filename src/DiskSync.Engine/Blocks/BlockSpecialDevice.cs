using DiskSync.Linux;

namespace DiskSync.Engine.Blocks;

/// <summary>An image on a block device, read and written past the page cache (safety rule 9).</summary>
/// <remarks>
/// The page cache of a device that somebody else writes through a file system is stale, so reads go to the medium:
/// O_DIRECT, or where the device refuses that, fsync and BLKFLSBUF before each pass over the image
/// (<see cref="BeginPass"/>) and before what was written is read back (<see cref="DropCache"/>). Holes cannot be told; zeros are written (BLKZEROOUT), never assumed of a discard.
/// An image may be shorter than its device: last bytes that do not fill a sector go through a buffer of one, and what
/// the rest of that sector holds stays.
/// </remarks>
public sealed class BlockSpecialDevice : LinuxBlockDevice
{
    private readonly bool _direct;
    private readonly int _sector;

    /// <summary>Wraps an open block device, which it owns from now on.</summary>
    /// <param name="file">The device.</param>
    /// <param name="name">How messages call it.</param>
    /// <param name="side">The side that it is on.</param>
    /// <param name="direct">Whether O_DIRECT is on.</param>
    public BlockSpecialDevice(LinuxFile file, string name, Side side, bool direct)
        : base(file, name, side, direct ? file.LogicalSectorSize() : 1)
    {
        _direct = direct;
        _sector = file.LogicalSectorSize();
    }

    /// <summary>The open device, to ask the kernel about it; stays this object's.</summary>
    public LinuxFile Handle => File;

    /// <inheritdoc/>
    public override void Zero(long offset, long length, bool punch)
    {
        try
        {
            // A device has no holes to tell of, so punching would only change what the medium may do next.
            long whole = length - (length % _sector);
            if (whole > 0)
            {
                File.BlkZeroOut(offset, whole);
            }

            if (whole < length)
            {
                WriteRaw(new byte[length - whole], offset + whole);
            }
        }
        catch (LinuxException exception)
        {
            throw Failed("zero", Math.Max(offset, exception.Offset), exception);
        }
    }

    /// <inheritdoc/>
    public override void BeginPass() => DropCache(0, Length);

    /// <inheritdoc/>
    public override void DropCache(long offset, long length)
    {
        if (_direct)
        {
            return;
        }

        try
        {
            File.Sync();
            File.BlkFlushBuffers();
        }
        catch (LinuxException exception)
        {
            throw Failed("drop the cache of", -1, exception);
        }
    }

    /// <inheritdoc/>
    /// <remarks>What must drop the device's whole cache for a read is not for reading beside a writer.</remarks>
    public override bool TryReadPastCache(long offset, Span<byte> buffer)
    {
        try
        {
            return _direct && ReadRaw(buffer, offset) == buffer.Length;
        }
        catch (LinuxException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public override void ReadAhead(long offset, long length)
    {
        // It would fill the page cache, which is not read from.
    }

    /// <inheritdoc/>
    public override IEnumerable<Extent> Extents(long offset, long length)
    {
        if (length > 0)
        {
            yield return new Extent(offset, length, ExtentKind.Data);
        }
    }

    /// <inheritdoc/>
    public override long? NextData(long offset, long length) => length > 0 ? offset : null;

    /// <inheritdoc/>
    private protected override int ReadRaw(Span<byte> buffer, long offset)
    {
        int whole = Whole(buffer.Length);
        int read = whole == 0 ? 0 : base.ReadRaw(buffer[..whole], offset);
        if (read < whole || whole == buffer.Length)
        {
            return read;
        }

        using AlignedBuffer sector = new(_sector);
        int last = Math.Min(base.ReadRaw(sector.Span, offset + whole), buffer.Length - whole);
        sector.Span[..last].CopyTo(buffer[whole..]);
        return whole + last;
    }

    /// <inheritdoc/>
    private protected override void WriteRaw(ReadOnlySpan<byte> data, long offset)
    {
        int whole = Whole(data.Length);
        if (whole > 0)
        {
            base.WriteRaw(data[..whole], offset);
        }

        if (whole < data.Length)
        {
            using AlignedBuffer sector = new(_sector);
            base.ReadRaw(sector.Span, offset + whole);
            data[whole..].CopyTo(sector.Span);
            base.WriteRaw(sector.Span, offset + whole);
        }
    }

    /// <summary>The part of a length that can be transferred as it is.</summary>
    private int Whole(int length) => _direct ? length - (length % _sector) : length;
}
