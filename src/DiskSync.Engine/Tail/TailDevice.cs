using DiskSync.Engine.Blocks;
using DiskSync.Formats.Presence;

namespace DiskSync.Engine.Tail;

/// <summary>An image of which parts are still at its source: what is missing is fetched when it is touched (safety rule 10).</summary>
/// <remarks>
/// Thread safe as an image is. A read waits until all that it touches is there. A write of whole parts makes them present;
/// one of a piece of a missing part fetches that first. A flush covers the presence map. Once nothing is missing, and the
/// map says so durably, every call goes straight to the image. A part that the source cannot read fails for itself;
/// without a link reads of missing parts wait, or fail where the options say so.
/// </remarks>
public sealed class TailDevice : ForwardingDevice
{
    // What one hold of locks covers at most, so that a guest that discards its whole disk does not hold all of it.
    private const long Slice = 64 << 20;

    private readonly PresenceMap _map;
    private readonly TailFetcher _fetcher;
    private volatile bool _isWhole;

    /// <summary>Wraps an image.</summary>
    /// <param name="image">The image; stays its opener's.</param>
    /// <param name="map">Which of its parts are there; stays its opener's.</param>
    /// <param name="source">Where the others are read; stays its opener's.</param>
    /// <param name="hashes">What they hash to, as far as it is known; null where nothing is.</param>
    /// <param name="options">How.</param>
    public TailDevice(IBlockDevice image, PresenceMap map, ITailSource source, ITailHashes? hashes, TailOptions options)
        : base(image)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(map);
        ArgumentNullException.ThrowIfNull(options);
        if (map.Header.Length != image.Length)
        {
            throw new ArgumentException($"a map of {map.Header.Length} bytes for an image of {image.Length}", nameof(map));
        }

        _map = map;
        _fetcher = new TailFetcher(image, map, source, hashes, options);
        _isWhole = map.IsComplete;
    }

    /// <summary>Whether nothing is missing, durably: the source is needed no more.</summary>
    public bool IsWhole => _isWhole;

    /// <summary>Whether what touches a missing part fails while there is no link, instead of waiting for it; those that wait are told at once.</summary>
    public bool FailMissing
    {
        get => _fetcher.FailMissing;
        set => _fetcher.FailMissing = value;
    }

    internal TailFetcher Fetcher => _fetcher;

    /// <inheritdoc/>
    public override bool MayWait(long offset, long length, bool isWrite) =>
        !IsThere(offset, length) && (!isWrite || !Edges(offset, length).All(edge => IsThere(edge, 1)));

    /// <inheritdoc/>
    public override void Read(long offset, Span<byte> buffer)
    {
        Ensure(offset, buffer.Length);
        Inner.Read(offset, buffer);
    }

    /// <inheritdoc/>
    public override bool TryReadNow(long offset, Span<byte> buffer) => IsThere(offset, buffer.Length) && Inner.TryReadNow(offset, buffer);

    /// <inheritdoc/>
    public override void Write(long offset, ReadOnlySpan<byte> data)
    {
        if (IsThere(offset, data.Length))
        {
            Inner.Write(offset, data);
            return;
        }

        if (data.IsEmpty)
        {
            return;
        }

        EnsureEdges(offset, data.Length);
        using UnitLocks.Held held = Lock(offset, data.Length);
        Inner.Write(offset, data);
        Mark(offset, data.Length);
    }

    /// <inheritdoc/>
    public override void Zero(long offset, long length, bool punch)
    {
        if (IsThere(offset, length))
        {
            Inner.Zero(offset, length, punch);
            return;
        }

        EnsureEdges(offset, length);
        foreach ((long at, long count) in Slices(offset, length))
        {
            using UnitLocks.Held held = Lock(at, count);
            Inner.Zero(at, count, punch);
            Mark(at, count);
        }
    }

    /// <inheritdoc/>
    /// <remarks>False too where an edge would have to be fetched first.</remarks>
    public override bool TryZeroFast(long offset, long length, bool punch)
    {
        if (IsThere(offset, length))
        {
            return Inner.TryZeroFast(offset, length, punch);
        }

        if (!Edges(offset, length).All(edge => IsThere(edge, 1)))
        {
            return false;
        }

        bool isBegun = false;
        foreach ((long at, long count) in Slices(offset, length))
        {
            using UnitLocks.Held held = Lock(at, count);
            if (!Inner.TryZeroFast(at, count, punch))
            {
                if (!isBegun)
                {
                    return false;
                }

                Inner.Zero(at, count, punch);
            }

            Mark(at, count);
            isBegun = true;
        }

        return true;
    }

    /// <inheritdoc/>
    /// <remarks>Whole parts that are missing need not be fetched any more where the image can have holes; elsewhere they stay missing.</remarks>
    public override void Discard(long offset, long length)
    {
        if (IsThere(offset, length))
        {
            Inner.Discard(offset, length);
            return;
        }

        long first = (offset + PresenceHeader.PartSize - 1) / PresenceHeader.PartSize * PresenceHeader.PartSize;
        long end = offset + length == Length ? Length : (offset + length) / PresenceHeader.PartSize * PresenceHeader.PartSize;
        foreach ((long at, long count) in Slices(first, end - first))
        {
            using UnitLocks.Held held = Lock(at, count);
            if (!Inner.TryZeroFast(at, count, punch: true))
            {
                return;
            }

            Mark(at, count);
        }
    }

    /// <inheritdoc/>
    public override void Flush()
    {
        if (_isWhole)
        {
            Inner.Flush();
            return;
        }

        _map.Commit(Inner.Flush);
        _isWhole = _map.IsComplete;
    }

    /// <inheritdoc/>
    public override bool TryReadPastCache(long offset, Span<byte> buffer) => IsThere(offset, buffer.Length) && Inner.TryReadPastCache(offset, buffer);

    /// <inheritdoc/>
    public override void ReadAhead(long offset, long length)
    {
        if (IsThere(offset, length))
        {
            Inner.ReadAhead(offset, length);
        }
    }

    /// <inheritdoc/>
    /// <remarks>What is missing is data: nobody knows better.</remarks>
    public override IEnumerable<Extent> Extents(long offset, long length)
    {
        long end = offset + length;
        while (offset < end)
        {
            if (_isWhole)
            {
                foreach (Extent extent in Inner.Extents(offset, end - offset))
                {
                    yield return extent;
                }

                yield break;
            }

            long parts = PresenceHeader.PartEnd(offset, end - offset);
            long part = offset / PresenceHeader.PartSize;
            bool isThere = _map.All(part, 1);
            long stop = Math.Min(end, _map.Next(part, parts, present: !isThere) * PresenceHeader.PartSize);
            if (!isThere)
            {
                yield return new Extent(offset, stop - offset, ExtentKind.Data);
            }
            else
            {
                foreach (Extent extent in Inner.Extents(offset, stop - offset))
                {
                    yield return extent;
                }
            }

            offset = stop;
        }
    }

    /// <summary>Lets everybody go who waits for the link; their reads fail.</summary>
    public void Stop() => _fetcher.Stop();

    /// <inheritdoc/>
    /// <remarks>What is missing may be data, whatever the image says of its place.</remarks>
    public override long? NextData(long offset, long length)
    {
        foreach (Extent extent in Extents(offset, length))
        {
            if (extent.Kind == ExtentKind.Data)
            {
                return extent.Offset;
            }
        }

        return null;
    }

    /// <summary>Ends fetching. The image, the map and the source are their openers'.</summary>
    public override void Dispose()
    {
        _fetcher.Dispose();
        base.Dispose();
    }

    private bool IsThere(long offset, long length)
    {
        if (_isWhole)
        {
            return true;
        }

        long first = offset / PresenceHeader.PartSize;
        return _map.All(first, PresenceHeader.PartEnd(offset, length) - first);
    }

    // The one or two parts of which a range covers a piece only.
    private IEnumerable<long> Edges(long offset, long length)
    {
        if (offset % PresenceHeader.PartSize != 0)
        {
            yield return offset;
        }

        long end = offset + length;
        if (end % PresenceHeader.PartSize != 0 && end != Length)
        {
            yield return end - 1;
        }
    }

    private void EnsureEdges(long offset, long length)
    {
        foreach (long edge in Edges(offset, length))
        {
            Ensure(edge, 1);
        }
    }

    private void Ensure(long offset, long length)
    {
        if (IsThere(offset, length))
        {
            return;
        }

        try
        {
            _fetcher.Ensure(offset, length);
        }
        catch (TailSourceException exception)
        {
            throw Missing(offset, exception.Message, "Look at the source's storage; the rest of the image is not affected.", exception);
        }
        catch (TailLinkException exception)
        {
            throw Missing(offset, $"a part of it is still at the source, which cannot be reached: {exception.Message}", "Bring the link back.", exception);
        }
        catch (OperationCanceledException exception)
        {
            throw Missing(offset, "a part of it is still at the source, and this export is ending", "Start it again.", exception);
        }
    }

    private UnitLocks.Held Lock(long offset, long length) =>
        _fetcher.Locks.Take(offset / _fetcher.Unit, ((offset + length - 1) / _fetcher.Unit) + 1);

    // After it was written, and before that is answered. Parts of which a piece was written were there before.
    private void Mark(long offset, long length)
    {
        long first = offset / PresenceHeader.PartSize;
        _map.Mark(first, PresenceHeader.PartEnd(offset, length) - first);
    }

    private static IEnumerable<(long Offset, long Length)> Slices(long offset, long length)
    {
        for (long end = offset + length; offset < end;)
        {
            long stop = Math.Min(end, (offset / Slice * Slice) + Slice);
            yield return (offset, stop - offset);
            offset = stop;
        }
    }

    private ImageIOException Missing(long offset, string why, string advice, Exception inner) =>
        new(Side.Destination, Name, offset, "read", why, advice, inner);
}
