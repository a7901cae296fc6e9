using DiskSync.Engine;
using DiskSync.Engine.Blocks;

namespace DiskSync.TestSupport.PowerCuts;

/// <summary>An open <see cref="SimulatedImage"/>.</summary>
public sealed class SimulatedDevice : IBlockDevice
{
    private const int Sector = 512;
    private readonly SimulatedImage _image;
    private readonly SimulatedMedium _medium;
    private readonly int _generation;
    private bool _flushFailed;

    internal SimulatedDevice(SimulatedImage image, SimulatedMedium medium)
    {
        _image = image;
        _medium = medium;
        _generation = medium.Generation;
    }

    /// <inheritdoc/>
    public string Name => _image.Name;

    /// <inheritdoc/>
    public long Length => _image.Length;

    /// <inheritdoc/>
    public int Alignment => 1;

    /// <inheritdoc/>
    public long CurrentLength() => Length;

    /// <inheritdoc/>
    public void Read(long offset, Span<byte> buffer)
    {
        CheckAlive();
        CheckRange(offset, buffer.Length);
        _image.Read(offset, buffer);
    }

    /// <inheritdoc/>
    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        CheckAlive();
        CheckRange(offset, data.Length);
        if (_medium.MustFail())
        {
            // Whole sectors: no device leaves one half written that has power.
            _image.Write(offset, data[..(data.Length / 2 / Sector * Sector)]);
            throw Failed("write", offset);
        }

        _image.Write(offset, data);
    }

    /// <inheritdoc/>
    public void Zero(long offset, long length, bool punch)
    {
        CheckAlive();
        CheckRange(offset, length);
        if (_medium.MustFail())
        {
            _image.Zero(offset, length / 2 / Sector * Sector);
            throw Failed("zero", offset);
        }

        _image.Zero(offset, length);
    }

    /// <inheritdoc/>
    public void Flush()
    {
        CheckAlive();
        if (_flushFailed)
        {
            throw Failed("flush", -1);
        }

        if (_medium.MustFail())
        {
            _flushFailed = true;
            _image.FailFlush();
            throw Failed("flush", -1);
        }

        if (_medium.TakenOut != FlushPoint.Image)
        {
            _image.Flush();
        }
    }

    /// <inheritdoc/>
    public void DropCache(long offset, long length) => _image.DropCache(offset, length);

    /// <inheritdoc/>
    public bool TryReadPastCache(long offset, Span<byte> buffer)
    {
        CheckAlive();
        CheckRange(offset, buffer.Length);
        if (_medium.MustFail())
        {
            return false;
        }

        _image.ReadPastCache(offset, buffer);
        return true;
    }

    /// <inheritdoc/>
    public IEnumerable<Extent> Extents(long offset, long length) => _image.Extents(offset, length);

    /// <inheritdoc/>
    public void Dispose()
    {
        // The image stays.
    }

    private ImageIOException Failed(string operation, long offset) =>
        new(Side.Destination, Name, offset, operation, "a simulated failure", "Go on.");

    private void CheckAlive()
    {
        if (_generation != _medium.Generation)
        {
            throw new InvalidOperationException($"{Name} was opened before the power was cut");
        }
    }

    private void CheckRange(long offset, long length)
    {
        if (offset < 0 || length > Length - offset)
        {
            throw new InvalidOperationException($"{Name}: {offset} + {length} leaves an image of {Length} bytes");
        }
    }
}
