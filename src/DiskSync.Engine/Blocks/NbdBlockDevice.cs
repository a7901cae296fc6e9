using DiskSync.Nbd.Client;
using DiskSync.Nbd.Wire;

namespace DiskSync.Engine.Blocks;

/// <summary>An image behind an NBD server: whatever the server opens, be it qcow2, VMDK, VHDX or RBD, reads here as a raw disk.</summary>
/// <remarks>
/// Holes and zeros are what the server tells of (base:allocation). What is read is what the server says: there is no way
/// past its cache, so that a read-back proves what it serves, and that this is on its medium rests on its answer to a flush.
/// With the connection everything is lost: what was written and not flushed may be gone, so nothing is dialled again behind
/// the caller's back. Thread safe as <see cref="IBlockDevice"/> says.
/// </remarks>
public sealed class NbdBlockDevice : IBlockDevice
{
    // What is larger could tear our 4 KiB sub-blocks.
    private const int LargestBlock = 4096;
    private const int Probe = 4096;
    private const int ZeroChunk = 1 << 20;
    private const long StatusStretch = 1L << 30;
    private static readonly byte[] Zeros = new byte[ZeroChunk];

    private readonly NbdClient _client;
    private readonly Side _side;
    private readonly bool _tellsHoles;
    private readonly Lock _flushLock = new();

    // One odd end at a time: what the rest of its sector holds is read and written again.
    private readonly Lock _endLock = new();
    private string? _flushFailure;

    /// <summary>Wraps a client, which it owns from now on, also where this throws.</summary>
    /// <param name="client">Connected, with base:allocation asked for.</param>
    /// <param name="name">How messages call the image.</param>
    /// <param name="side">The side that it is on.</param>
    /// <exception cref="DiskSyncException">The server wants larger requests than an image is cut into.</exception>
    public NbdBlockDevice(NbdClient client, string name, Side side)
    {
        ArgumentNullException.ThrowIfNull(client);
        _client = client;
        _side = side;
        Name = name;
        _tellsHoles = client.Export.StatusKinds.Contains(NbdClient.Allocation);
        if (client.Export.MinimumBlock > LargestBlock)
        {
            int block = client.Export.MinimumBlock;
            client.Dispose();
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"{SideName} {name}: its server takes requests in multiples of {block} bytes only",
                $"Serve it with blocks of {LargestBlock} bytes or fewer (nbdkit: --filter=blocksize).");
        }
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public long Length => _client.Export.Length;

    /// <inheritdoc/>
    public int Alignment => _client.Export.MinimumBlock;

    /// <summary>What the server offers.</summary>
    public NbdExportInfo Export => _client.Export;

    private string SideName => _side == Side.Source ? "source" : "destination";

    /// <inheritdoc/>
    /// <remarks>An export keeps its length as long as it is connected to.</remarks>
    public long CurrentLength() => Length;

    /// <inheritdoc/>
    public void Read(long offset, Span<byte> buffer)
    {
        try
        {
            int whole = Whole(offset, buffer.Length);
            _client.Read(offset, buffer[..whole]);
            if (whole < buffer.Length)
            {
                ReadEnd(offset + whole, buffer[whole..]);
            }
        }
        catch (NbdServerException exception)
        {
            throw Failed("read", FirstUnreadable(offset, buffer), exception);
        }
        catch (NbdConnectionException exception)
        {
            throw Failed("read", offset, exception);
        }
    }

    /// <inheritdoc/>
    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        try
        {
            int whole = Whole(offset, data.Length);
            _client.Write(offset, data[..whole]);
            if (whole < data.Length)
            {
                WriteEnd(offset + whole, data[whole..]);
            }
        }
        catch (Exception exception) when (exception is NbdServerException or NbdConnectionException)
        {
            throw Failed("write", offset, exception);
        }
    }

    /// <inheritdoc/>
    public void Zero(long offset, long length, bool punch)
    {
        try
        {
            long whole = length - (offset + length == Length ? 0 : length % Alignment);
            if (whole > 0 && !TryZero(offset, whole, punch ? NbdCommandFlags.None : NbdCommandFlags.NoHole))
            {
                for (long at = offset; at < offset + whole; at += ZeroChunk)
                {
                    _client.Write(at, Zeros.AsSpan(0, (int)Math.Min(ZeroChunk, offset + whole - at)));
                }
            }

            if (whole < length)
            {
                WriteEnd(offset + whole, Zeros.AsSpan(0, (int)(length - whole)));
            }
        }
        catch (Exception exception) when (exception is NbdServerException or NbdConnectionException)
        {
            throw Failed("zero", offset, exception);
        }
    }

    /// <inheritdoc/>
    public bool TryZeroFast(long offset, long length, bool punch)
    {
        try
        {
            return Export.CanZeroFast && length % Alignment == 0
                && TryZero(offset, length, NbdCommandFlags.FastZero | (punch ? NbdCommandFlags.None : NbdCommandFlags.NoHole));
        }
        catch (Exception exception) when (exception is NbdServerException or NbdConnectionException)
        {
            throw Failed("zero", offset, exception);
        }
    }

    /// <inheritdoc/>
    /// <remarks>What a server makes of a trim it does not say, so nothing is assumed of what the range reads as then.</remarks>
    public void Discard(long offset, long length)
    {
        try
        {
            if (Export.CanTrim && length % Alignment == 0)
            {
                _client.Trim(offset, length);
            }
        }
        catch (Exception exception) when (exception is NbdServerException or NbdConnectionException)
        {
            throw Failed("trim", offset, exception);
        }
    }

    /// <inheritdoc/>
    public void Flush()
    {
        // One at a time, and never again after one has failed (safety rule 4).
        lock (_flushLock)
        {
            if (_flushFailure is not null)
            {
                throw new ImageIOException(
                    _side, Name, -1, "flush", $"an earlier flush failed ({_flushFailure}), so what was written before it may be lost",
                    "Look at what the server says and at its storage, then run the command again.");
            }

            // Nothing can have been written to it, so there is nothing to make durable.
            if (Export.IsReadOnly || !Export.CanFlush)
            {
                return;
            }

            try
            {
                _client.Flush();
            }
            catch (Exception exception) when (exception is NbdServerException or NbdConnectionException)
            {
                _flushFailure = exception.Message;
                throw Failed("flush", -1, exception);
            }
        }
    }

    /// <inheritdoc/>
    public void DropCache(long offset, long length)
    {
        // The server's cache is the server's.
    }

    /// <inheritdoc/>
    public IEnumerable<Extent> Extents(long offset, long length)
    {
        Extent? last = null;
        foreach (Extent extent in Pieces(offset, length))
        {
            if (last is { } before && before.Kind == extent.Kind)
            {
                last = before with { Length = before.Length + extent.Length };
                continue;
            }

            if (last is { } done)
            {
                yield return done;
            }

            last = extent;
        }

        if (last is { } end)
        {
            yield return end;
        }
    }

    /// <inheritdoc/>
    public long? NextData(long offset, long length)
    {
        // Piece by piece: where the data ends need not be known.
        foreach (Extent extent in Pieces(offset, length))
        {
            if (extent.Kind == ExtentKind.Data)
            {
                return extent.Offset;
            }
        }

        return null;
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private IEnumerable<Extent> Pieces(long offset, long length)
    {
        if (!_tellsHoles)
        {
            if (length > 0)
            {
                yield return new Extent(offset, length, ExtentKind.Data);
            }

            yield break;
        }

        long end = offset + length;
        while (offset < end)
        {
            foreach (NbdExtent extent in Status(offset, Math.Min(end - offset, StatusStretch)))
            {
                long count = Math.Min(extent.Length, end - offset);
                if (count > 0)
                {
                    yield return new Extent(offset, count, KindOf((NbdExtentFlags)extent.Flags));
                    offset += count;
                }
            }
        }
    }

    // A hole that is not said to read as zeros may read as anything.
    private static ExtentKind KindOf(NbdExtentFlags flags) => (flags & (NbdExtentFlags.Hole | NbdExtentFlags.Zero)) switch
    {
        NbdExtentFlags.Hole | NbdExtentFlags.Zero => ExtentKind.Hole,
        NbdExtentFlags.Zero => ExtentKind.Zero,
        _ => ExtentKind.Data,
    };

    private IReadOnlyList<NbdExtent> Status(long offset, long length)
    {
        try
        {
            // Whole blocks have to be asked about; what lies around the range is cut off by who asked.
            long block = Alignment;
            long start = offset / block * block;
            long end = Math.Min(Length, (offset + length + block - 1) / block * block);
            IReadOnlyList<NbdExtent> found = _client.Status(NbdClient.Allocation, start, end - start);
            return start == offset ? found : CutFront(found, offset - start);
        }
        catch (Exception exception) when (exception is NbdServerException or NbdConnectionException)
        {
            throw Failed("look for the holes of", offset, exception);
        }
    }

    // Less than a block: the first extent is longer, as extents of a server that keeps to its own sizes are whole blocks.
    private static IReadOnlyList<NbdExtent> CutFront(IReadOnlyList<NbdExtent> extents, long bytes) =>
        [extents[0] with { Length = Math.Max(1, extents[0].Length - bytes) }, .. extents.Skip(1)];

    private bool TryZero(long offset, long length, NbdCommandFlags flags)
    {
        if (!Export.CanZero)
        {
            return false;
        }

        try
        {
            _client.Zero(offset, length, flags);
            return true;
        }
        catch (NbdServerException exception) when (exception.Error == NbdError.NotSupported)
        {
            return false;
        }
    }

    // An image may be shorter than its export, and end within a block of it.
    private int Whole(long offset, int length) => offset + length == Length ? length : length - (length % Alignment);

    private void ReadEnd(long offset, Span<byte> buffer)
    {
        byte[] block = new byte[Math.Min(Alignment, Length - offset)];
        _client.Read(offset, block);
        block.AsSpan(0, buffer.Length).CopyTo(buffer);
    }

    private void WriteEnd(long offset, ReadOnlySpan<byte> data)
    {
        lock (_endLock)
        {
            byte[] block = new byte[Math.Min(Alignment, Length - offset)];
            _client.Read(offset, block);
            data.CopyTo(block);
            _client.Write(offset, block);
        }
    }

    /// <summary>A large read fails as a whole; the message should name the bad place.</summary>
    private long FirstUnreadable(long offset, Span<byte> buffer)
    {
        int step = Math.Max(Probe, Alignment);
        for (int at = 0; at < Whole(offset, buffer.Length); at += step)
        {
            try
            {
                _client.Read(offset + at, buffer[at..Math.Min(at + step, Whole(offset, buffer.Length))]);
            }
            catch (Exception exception) when (exception is NbdServerException or NbdConnectionException)
            {
                return offset + at;
            }
        }

        return offset;
    }

    private ImageIOException Failed(string operation, long offset, Exception exception) =>
        new(_side, Name, offset, operation, exception.Message, Advice(exception), exception);

    private string Advice(Exception exception) => exception switch
    {
        NbdServerException { Error: NbdError.NoSpace } => "Free space where its server stores it, then run the same command again: it goes on from what is durable.",
        NbdServerException when _side == Side.Source => "Look at what its NBD server says, and at the storage behind it; then run the same command again.",
        NbdServerException => "Look at what its NBD server says, and at the storage behind it, before trying again.",
        NbdConnectionException { Failure: NbdConnectionFailure.Violation } => "Look at what kind of server that is, and at its version.",
        _ => "Start its NBD server again or mend the way to it, then run the same command again.",
    };
}
