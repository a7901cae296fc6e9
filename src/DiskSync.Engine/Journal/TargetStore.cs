using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Dirty;
using DiskSync.Engine.Replication;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Linux;

namespace DiskSync.Engine.Journal;

/// <summary>One target as its receiver writes it: the image, the map of what it holds, and the journal of what is proven.</summary>
/// <remarks>
/// <para>The order that safety rule 4 asks for is kept here and nowhere else: a page's claim is withdrawn durably before
/// one of its blocks is overwritten; a checkpoint flushes the image, then the map, then claims the pages again.</para>
/// <para>Apart from that it knows which blocks have not been read back from the medium since they were written, and
/// reads them back on request: only then does the map prove anything.</para>
/// <para>Several threads may write blocks at once, each its own; reading back, filling the map and disposing are for a
/// time when nobody writes, <see cref="ReadBackEarly"/> for any time. A checkpoint does not hold writers up: what is
/// written while it flushes stays withdrawn and is claimed by the next one. Owns device, map and journal.</para>
/// </remarks>
public sealed class TargetStore : IDisposable
{
    private const int EarlyBytes = 1 << 20;

    private readonly Lock _gate = new();

    // Taken before the gate; held for the time of a whole checkpoint.
    private readonly Lock _checkpointGate = new();

    // Taken before both; held while a stretch is read back early, and while what must not meet that is done.
    private readonly Lock _earlyGate = new();

    // Blocks whose write has begun and not ended.
    private readonly List<BlockRun> _writing = [];
    private readonly ManualResetEventSlim _noneWriting = new(initialState: true);
    private readonly IBlockDevice _device;
    private readonly ITransferJournal _journal;
    private readonly ClaimTracker _claims;
    private readonly DirtyBitmap _unread;
    private readonly EarlyReadBack _early;
    private readonly TargetScan _scan;
    private readonly WritebackStarter _writeback;
    private bool _fenced;
    private bool _unflushed;
    private AlignedBuffer? _earlyBuffer;
    private long _earlyBytes;

    // A write or checkpoint has begun and not ended well: nothing more is written or claimed, and whoever opens the
    // target again hashes what is withdrawn.
    private bool _broken;

    /// <summary>Blocks that the source will not send before it hands over: they are fetched afterwards (docs/tail.md). Touched by one thread at a time.</summary>
    public RunSet Missing { get; } = new();

    /// <summary>Opens a store over its parts, which it owns from now on.</summary>
    /// <param name="device">The image, as long as the geometry says.</param>
    /// <param name="map">What the image holds, as far as anybody knows.</param>
    /// <param name="journal">The journal, with this session begun in it.</param>
    /// <param name="withdrawn">Pages without a claim in the journal.</param>
    /// <param name="unread">Pages that are claimed but have not been read back.</param>
    /// <param name="mapIsCurrent">
    /// Whether the map speaks of withdrawn pages nevertheless, because it was filled since they were withdrawn (from a
    /// base's map); else it is a leftover, and is forgotten. Neither is proven before it has been read back.
    /// </param>
    public TargetStore(
        IBlockDevice device,
        PagedMap map,
        ITransferJournal journal,
        IReadOnlyCollection<PageClaim> withdrawn,
        IReadOnlyCollection<PageClaim> unread,
        bool mapIsCurrent)
    {
        _device = device;
        _journal = journal;
        Map = map;
        _scan = new TargetScan(device, map.Geometry);
        _writeback = new WritebackStarter(device);
        _claims = new ClaimTracker(journal, Geometry, withdrawn, unread);
        _unread = new DirtyBitmap(Geometry.BlockCount);
        _early = new EarlyReadBack(Geometry.BlockCount);
        foreach (PageClaim pages in withdrawn.Concat(unread))
        {
            BlockRun run = _claims.BlocksOf(pages.FirstPage, pages.PageCount);
            _unread.Mark(run.First, run.Count);
        }

        if (!mapIsCurrent)
        {
            foreach (PageClaim pages in withdrawn)
            {
                map.Forget(pages.FirstPage, pages.PageCount);
            }
        }
    }

    /// <summary>How the image is cut into blocks.</summary>
    public BlockGeometry Geometry => Map.Geometry;

    /// <summary>How many threads read at once where much has to be read; 1 makes the order of the reads the image's.</summary>
    public int Readers { get; init; } = Math.Clamp(Environment.ProcessorCount, 1, 4);

    /// <summary>What buffers to write from must be aligned to; 1 where any memory will do.</summary>
    public int Alignment => _device.Alignment;

    /// <summary>What the image holds; unknown where nobody knows.</summary>
    public PagedMap Map { get; }

    /// <summary>This session's number; a batch with another is not written (safety rule 2).</summary>
    public ulong FenceNumber => _journal.FenceNumber;

    /// <summary>Whether a write or flush failed, so that nothing more is written or claimed.</summary>
    public bool HasFailed
    {
        get
        {
            lock (_gate)
            {
                return _broken;
            }
        }
    }

    /// <summary>Blocks that have not been read back since they were written.</summary>
    public long UnreadBlocks => _unread.Count;

    /// <summary>Whether the store has been disposed: the image is somebody else's now, a guest's perhaps.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>The root over the map as it is.</summary>
    public Hash256 Root() => Map.Root();

    /// <summary>No write happens after this returns; those that are under way, a checkpoint included, are waited for.</summary>
    public void Fence()
    {
        lock (_gate)
        {
            _fenced = true;
        }

        _noneWriting.Wait();
        lock (_checkpointGate)
        {
            // Whoever held it has seen the fence, or had finished before.
        }
    }

    /// <summary>Writes neighbouring blocks whose hashes have been checked.</summary>
    /// <param name="first">The first block.</param>
    /// <param name="data">The blocks' content, each at its true length.</param>
    /// <param name="hashes">One for each block.</param>
    public void Write(long first, ReadOnlySpan<byte> data, ReadOnlySpan<Hash256> hashes) => Write(first, data, hashes, []);

    /// <summary>Writes what has changed of a block whose hash has been checked; the rest of it is there already, as holes perhaps, which stay.</summary>
    /// <param name="block">The block.</param>
    /// <param name="data">All of its content.</param>
    /// <param name="hash">Its hash.</param>
    /// <param name="changed">One bit for each sub-block that differs, lowest bit first; empty for all of them.</param>
    public void WriteChanged(long block, ReadOnlySpan<byte> data, Hash256 hash, ReadOnlySpan<byte> changed) =>
        Write(block, data, [hash], changed);

    /// <summary>Makes blocks read as zeros.</summary>
    public void ZeroRun(long first, long count)
    {
        BlockRun run = new(first, count);
        bool done = false;
        BeginWrite(run, isZero: true);
        try
        {
            long offset = Geometry.OffsetOf(first);
            long end = Math.Min(Geometry.OffsetOf(first + count), Geometry.Length);
            _device.Zero(offset, end - offset, punch: true);
            Map.SetZeroRun(first, count);
            done = true;
        }
        finally
        {
            EndWrite(run, done);
        }
    }

    /// <summary>Reads a block as it is now.</summary>
    public void Read(long block, Span<byte> buffer) => _device.Read(Geometry.OffsetOf(block), buffer);

    /// <summary>Makes everything written so far durable and claims it.</summary>
    /// <exception cref="DiskSyncException">Something could not be flushed; this is final, and nothing more is written.</exception>
    public void Checkpoint()
    {
        lock (_checkpointGate)
        {
            lock (_gate)
            {
                ThrowIfUnusable();
                if (!_claims.AnyWithdrawn && !_unflushed)
                {
                    return;
                }

                _claims.BeginCheckpoint(_writing);
                _early.BeginCheckpoint(_writing);
                _unflushed = false;
            }

            try
            {
                _device.Flush();
                Map.Flush();
                ClaimFlushed();
            }
            catch
            {
                // A checkpoint that fails half-way may have claimed pages all the same, and then what is withdrawn here
                // is not what is withdrawn in the journal: a later write would overwrite a claimed page.
                lock (_gate)
                {
                    _broken = true;
                }

                throw;
            }
        }
    }

    /// <summary>Fills the map where it is unknown, by reading.</summary>
    /// <param name="progress">Called with bytes done and bytes in all.</param>
    /// <param name="cancellationToken">Stops between chunks.</param>
    /// <returns>How many bytes were hashed.</returns>
    public long HashUnknown(Action<long, long> progress, CancellationToken cancellationToken)
    {
        DirtyBitmap unknown = new(Geometry.BlockCount);
        long block = 0;
        foreach (var run in Map.GetRuns(0, Geometry.BlockCount))
        {
            if (run.Hash.IsUnknown)
            {
                unknown.Mark(block, run.Count);
            }

            block += run.Count;
        }

        if (unknown.Count == 0)
        {
            return 0;
        }

        // What is hashed here is claimed at the next checkpoint, so the pages must be without a claim until then. It is
        // done before anything is received, so nothing is read back early meanwhile.
        _device.Flush();
        return _scan.Run(unknown, Readers, progress, (first, count, hash) =>
        {
            lock (_gate)
            {
                Withdraw(new BlockRun(first, count));
                Map.SetRun(first, count, hash);

                // It was flushed before and read from the medium now, which is what reading back means.
                _unread.Clear(first, count);
                _unflushed = true;
            }
        }, cancellationToken);
    }

    /// <summary>Flushes, then reads back from the medium every block that has not been read back since it was written.</summary>
    /// <param name="progress">Called with bytes done and bytes in all.</param>
    /// <param name="cancellationToken">Stops between chunks; what was read stays read.</param>
    /// <returns>What was read, early or now, and what was wrong; wrong blocks' true hashes are in the map.</returns>
    public ReadBackResult ReadBack(Action<long, long> progress, CancellationToken cancellationToken)
    {
        lock (_earlyGate)
        {
            Checkpoint();
            _early.Forget();
            (long early, _earlyBytes) = (_earlyBytes, 0);

            // Where all has been read, nothing is written or claimed anew: a guest may be waiting for this.
            ReadBackResult result = _unread.Count == 0 ? new ReadBackResult(0, []) : ReadUnread(progress, cancellationToken);
            return result with { BytesRead = result.BytesRead + early };
        }
    }

    /// <summary>Reads back a stretch of what a checkpoint has made durable and nobody has written since, whoever else writes meanwhile.</summary>
    /// <remarks>
    /// It only ever finds out that blocks are as they should be. What is wrong or cannot be read is left to
    /// <see cref="ReadBack"/>, which says so. Only where the device can be read past its cache: a page of the cache may
    /// hold blocks that are being written beside those that are read, and cannot be dropped then.
    /// </remarks>
    /// <returns>False where nothing is left before the next checkpoint.</returns>
    public bool ReadBackEarly()
    {
        lock (_earlyGate)
        {
            BlockRun run;
            lock (_gate)
            {
                if (_fenced || _broken || IsClosed || !_early.TryTake(Math.Max(1, EarlyBytes / Geometry.Granularity), out run))
                {
                    return false;
                }
            }

            _earlyBuffer ??= new AlignedBuffer(Math.Max(EarlyBytes, Geometry.Granularity));
            Hash256[] found = new Hash256[run.Count];
            int bytes = _scan.TryReadPastCache(run, _earlyBuffer.Span, found);
            _earlyBytes += bytes;
            lock (_gate)
            {
                if (bytes > 0 && _early.IsUntouched)
                {
                    ClearWhereAsExpected(run, found);
                }
            }

            return true;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (IsClosed)
        {
            return;
        }

        Fence();
        lock (_earlyGate)
        {
            IsClosed = true;
            (_earlyBuffer as IDisposable)?.Dispose();
        }

        _noneWriting.Dispose();
        _journal.Dispose();
        Map.Dispose();
        _device.Dispose();
    }

    private void Write(long first, ReadOnlySpan<byte> data, ReadOnlySpan<Hash256> hashes, ReadOnlySpan<byte> changed)
    {
        BlockRun run = new(first, hashes.Length);
        bool done = false;
        BeginWrite(run, isZero: false);
        try
        {
            long offset = Geometry.OffsetOf(first);
            if (changed.IsEmpty)
            {
                _device.Write(offset, data);
            }
            else
            {
                SubBlockWriter.Write(_device, offset, data, changed);
            }

            for (int i = 0; i < hashes.Length; i++)
            {
                Map.Set(first + i, hashes[i]);
            }

            _writeback.Wrote(offset, data.Length);
            done = true;
        }
        finally
        {
            EndWrite(run, done);
        }
    }

    private void ClearWhereAsExpected(BlockRun run, ReadOnlySpan<Hash256> found)
    {
        for (int i = 0; i < found.Length; i++)
        {
            if (Map.Get(run.First + i) == found[i])
            {
                _unread.Clear(run.First + i, 1);

                // The page's claim can now also say that it was read back.
                _unflushed = true;
            }
        }
    }

    private ReadBackResult ReadUnread(Action<long, long> progress, CancellationToken cancellationToken)
    {
        List<long> wrong = [];
        long bytes = _scan.Run(_unread, Readers, progress, (first, count, hash) =>
        {
            long block = first;
            foreach (HashRun held in Map.GetRuns(first, count).ToArray())
            {
                if (held.Hash != hash)
                {
                    lock (_gate)
                    {
                        Withdraw(new BlockRun(block, held.Count));
                        Map.SetRun(block, held.Count, hash);
                        AddRange(wrong, block, held.Count);
                    }
                }

                block += held.Count;
            }
        }, cancellationToken);
        lock (_gate)
        {
            // The pages' claims now also say that they were read back.
            _unflushed = true;
        }

        Checkpoint();

        // Several threads have read; who reads the answer expects the image's order.
        wrong.Sort();
        return new ReadBackResult(bytes, wrong);
    }

    private void BeginWrite(BlockRun run, bool isZero)
    {
        lock (_gate)
        {
            Withdraw(run);
            _early.Writing(run, isZero);
            _unflushed = true;
            _unread.Mark(run.First, run.Count);
            _writing.Add(run);
            _noneWriting.Reset();
        }
    }

    private void EndWrite(BlockRun run, bool done)
    {
        lock (_gate)
        {
            if (!done)
            {
                // Nobody knows what is there now: a write that fails may have changed a part of it.
                _broken = true;
            }

            _writing.Remove(run);
            if (_writing.Count == 0)
            {
                _noneWriting.Set();
            }
        }
    }

    private void ClaimFlushed()
    {
        lock (_gate)
        {
            // A write that failed meanwhile, or a newer session: nothing is claimed.
            ThrowIfUnusable();
            _unflushed |= _claims.EndCheckpoint(_unread);
            _early.EndCheckpoint();
        }
    }

    private void Withdraw(BlockRun run)
    {
        ThrowIfUnusable();
        _claims.Withdraw(run);
    }

    private static void AddRange(List<long> blocks, long first, long count)
    {
        for (long i = 0; i < count; i++)
        {
            blocks.Add(first + i);
        }
    }

    private void ThrowIfUnusable()
    {
        if (_broken)
        {
            throw new DiskSyncException(
                FailureKind.Destination,
                $"destination {_device.Name}: an earlier write or flush failed, so nothing more is written",
                "Check the storage, then run the command again: it goes on from what is durable.");
        }

        if (_fenced)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"destination {_device.Name}: this session is not the newest one, so it writes nothing more",
                "Another run of the same source has taken the target over.");
        }
    }
}
