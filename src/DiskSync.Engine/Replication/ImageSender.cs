using System.Collections.Concurrent;
using System.Diagnostics;
using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Dirty;
using DiskSync.Engine.Progress;
using DiskSync.Engine.Transports;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Engine.Replication;

/// <summary>The source's end of one image: rounds of blocks, checkpoints, and the proof at the end.</summary>
/// <remarks>
/// One round, checkpoint or verification at a time; inside a round several workers run. Every number that leaves here
/// is of this image only, but the byte counts of the connection. Owns its map and batches, not the image or the session.
/// </remarks>
public sealed class ImageSender : IDisposable
{
    private const int FewConnections = 4;
    private const int SmallerBatches = 4;
    private const int BatchesAConnection = 2;
    private const int FirstBatches = 2;

    private readonly SourceSession _session;
    private readonly ushort _index;
    private readonly ImageContext _image;
    private readonly SenderOptions _options;
    private readonly IProgressSink _progress;
    private readonly ConcurrentBag<SendBatch> _idle = [];
    private readonly SemaphoreSlim _batchSlots;
    private readonly BatchEncoder _encoder;
    private readonly CompressionPolicy _compression;
    private int _slots;
    private int _acknowledged;
    private Task _checkpoint = Task.CompletedTask;
    private ulong _nextNumber;
    private long _bytesSinceCheckpoint;
    private long _lastCheckpoint = Stopwatch.GetTimestamp();

    /// <summary>Prepares to send one image.</summary>
    /// <param name="session">The session; shared with the other images.</param>
    /// <param name="index">The image's index in the session.</param>
    /// <param name="source">The image, open for reading; stays its opener's.</param>
    /// <param name="geometry">How it is cut into blocks.</param>
    /// <param name="ready">The destination's answer to OpenImage.</param>
    /// <param name="options">How to send.</param>
    /// <param name="progress">Where progress goes.</param>
    public ImageSender(
        SourceSession session,
        ushort index,
        IBlockDevice source,
        BlockGeometry geometry,
        ImageReady ready,
        SenderOptions options,
        IProgressSink progress)
    {
        _session = session;
        _index = index;
        _options = options;
        _progress = progress;
        Ready = ready;
        // Everything that is not zeros is fetched or sent anyway, so the cheap default serves all targets.
        PagedMap map = PagedMap.CreateTemporary(geometry, defaultIsZero: true);
        _image = new ImageContext(source, geometry, map, session.Capabilities.HasFlag(Capability.Patch));
        _compression = new CompressionPolicy(
            options.Compression, session.Capabilities, options.Workers, linkRate: options.ExpectedLinkRate, limiter: options.Limiter,
            mayBeProcessors: options.IsThroughProgram && !double.IsInfinity(options.ExpectedLinkRate));
        _encoder = new BatchEncoder(session, index, _image, ready.Fence, _compression, options.AsksForSeeds);

        // Few at first where there is a network: what is encoded before anything is known of the link may be wrong for it.
        _slots = double.IsInfinity(options.ExpectedLinkRate) ? options.MaxBatches : Math.Min(FirstBatches, options.MaxBatches);
        _batchSlots = new SemaphoreSlim(_slots);
    }

    /// <summary>What the destination said when it opened the target.</summary>
    public ImageReady Ready { get; }

    /// <summary>How the image is cut into blocks.</summary>
    public BlockGeometry Geometry => _image.Geometry;

    /// <summary>The image.</summary>
    public IBlockDevice Source => _image.Source;

    /// <summary>The link's measured goodput, or infinite where it never was the bottleneck.</summary>
    public double LinkRate => _compression.LinkRate;

    /// <summary>Blocks that were not equal when they were last looked at.</summary>
    public long DirtyBlocks => _image.Dirty.Count;

    /// <summary>Whether a block was left to be sent later.</summary>
    public bool IsDirty(long block) => _image.Dirty.IsDirty(block);

    /// <summary>What the destination holds by its acks; stays this object's.</summary>
    public PagedMap DestinationMap => _image.Map;

    /// <summary>The root of what the destination holds by its acks.</summary>
    public Hash256 Root() => _image.Map.Root();

    /// <summary>Asks the destination what it holds, so that only what differs is sent (safety rule 1).</summary>
    public async Task FetchDestinationMapAsync(CancellationToken cancellationToken)
    {
        if (Ready.State == TargetState.Empty)
        {
            return;
        }

        await MapFetcher.FetchAsync(
            _session, _index, Hash256.Unknown, Geometry.BlockCount, _image.Map.SetRun, cancellationToken);
        if (_image.Map.Root() != Ready.MapRoot)
        {
            throw new TransportLostException(
                $"the map that {_session.Peer} sent for image {_index} does not have the root that it announced");
        }
    }

    /// <summary>Runs one round: everything that the dirty source marks and the destination does not hold is sent and acknowledged.</summary>
    /// <param name="round">The round, counted from 1.</param>
    /// <param name="phase">What the progress display calls it.</param>
    /// <param name="dirtySource">What to look at.</param>
    /// <param name="cancellationToken">Stops the round; what was acknowledged stays acknowledged.</param>
    /// <param name="isEnough">Told how many bytes are on the way: whether the round is to end in order, although blocks are dirty still; null for a round over all of them.</param>
    /// <exception cref="DiskSyncException">The source, the destination or the connection failed.</exception>
    public async Task<RoundResult> RunRoundAsync(
        int round, CopyPhase phase, IDirtySource dirtySource, CancellationToken cancellationToken, Func<long, bool>? isEnough = null)
    {
        long start = Stopwatch.GetTimestamp();
        long sent = _session.BytesSent;
        long received = _session.BytesReceived;
        RoundCounters counters = new();
        CheckLength();
        _image.Source.BeginPass();
        dirtySource.MarkInto(_image.Dirty);
        using ProgressReporter reporter = new(
            _progress, () => Snapshot(phase, round, counters, sent));
        long refused;
        do
        {
            // Refused patches and copies were marked dirty again; as literals they cannot be refused twice.
            refused = Interlocked.Read(ref counters.RefusedBlocks);
            await RunPassAsync(
                round, counters, () => isEnough?.Invoke(Interlocked.Read(ref counters.BytesOnTheWay)) == true, cancellationToken);
        }
        while (Interlocked.Read(ref counters.RefusedBlocks) > refused);

        CheckLength();
        RoundKept? kept = _options.KeepsRounds && phase != CopyPhase.FinalDelta
            ? await _session.RequestAsync<RoundKept>(_index, new KeepRound((uint)round), cancellationToken)
            : null;
        return new RoundResult
        {
            Round = round,
            Kept = kept,
            DirtySource = dirtySource.Name,
            BlocksScanned = counters.BlocksScanned,
            BytesRead = counters.BytesRead,
            BlocksChanged = counters.BlocksChanged,
            ZeroBlocks = counters.ZeroBlocks,
            PatchedBlocks = counters.PatchedBlocks,
            CopiedBlocks = counters.CopiedBlocks,
            ChangedBytes = counters.ChangedBytes,
            PayloadBytes = counters.PayloadBytes,
            EncodedBytes = counters.EncodedBytes,
            Codecs = counters.Codecs.Uses(),
            BytesSent = _session.BytesSent - sent,
            BytesReceived = _session.BytesReceived - received,
            Elapsed = Stopwatch.GetElapsedTime(start),
        };
    }

    /// <summary>Marks blocks that the destination has found wrong, so that the next round looks at them.</summary>
    /// <remarks>The destination's true hashes are unknown here, so the blocks will be sent as literals.</remarks>
    public void Distrust(IEnumerable<ulong> blocks)
    {
        foreach (ulong block in blocks)
        {
            if (!Geometry.Contains((long)Math.Min(block, long.MaxValue), 1))
            {
                throw new TransportLostException($"{_session.Peer} calls block {block} wrong, which image {_index} does not have");
            }

            _image.Map.Set((long)block, Hash256.Unknown);
            _image.Dirty.Mark((long)block, 1);
        }
    }

    /// <summary>Asks the destination again what it holds and marks what differs from what it acknowledged: for when more is wrong than one answer lists.</summary>
    /// <param name="root">The root over what it has just read back.</param>
    /// <param name="cancellationToken">Ends the fetch.</param>
    public async Task CorrectMapAsync(Hash256 root, CancellationToken cancellationToken)
    {
        await MapFetcher.FetchAsync(_session, _index, Hash256.Unknown, Geometry.BlockCount, _image.Correct, cancellationToken);
        if (_image.Map.Root() != root)
        {
            throw new TransportLostException(
                $"the map that {_session.Peer} sent for image {_index} does not have the root that it has read back");
        }
    }

    /// <summary>Makes everything acknowledged so far durable at the destination.</summary>
    public async Task CheckpointAsync(CancellationToken cancellationToken)
    {
        Interlocked.Exchange(ref _bytesSinceCheckpoint, 0);
        ulong number = Interlocked.Increment(ref _nextNumber);
        DurableAck ack = await _session.RequestAsync<DurableAck>(_index, new Checkpoint(number), cancellationToken);
        if (ack.Number != number)
        {
            throw new TransportLostException($"{_session.Peer} answered checkpoint {number} with {ack.Number}");
        }

        Interlocked.Exchange(ref _lastCheckpoint, Stopwatch.GetTimestamp());
    }

    /// <summary>Tells the destination which blocks will not be sent before the hand-over: all that are dirty (docs/tail.md).</summary>
    /// <returns>How many bytes that are.</returns>
    public async Task<long> TellMissingAsync(CancellationToken cancellationToken)
    {
        List<BlockSpan> spans = [];
        long bytes = 0;
        bool isFirst = true;
        long count = Geometry.BlockCount;
        for (long at = _image.Dirty.NextDirty(0, count); at < count;)
        {
            long end = _image.Dirty.NextClean(at, count);
            spans.Add(new BlockSpan((ulong)at, (ulong)(end - at)));
            bytes += Math.Min(Geometry.OffsetOf(end), Geometry.Length) - Geometry.OffsetOf(at);
            at = _image.Dirty.NextDirty(end, count);
            if (spans.Count == WireLimits.MaxSpans)
            {
                await TellAsync(spans, isFirst, cancellationToken);
                isFirst = false;
                spans.Clear();
            }
        }

        await TellAsync(spans, isFirst, cancellationToken);
        return bytes;
    }

    /// <summary>Has the destination read back everything that it has not read back since it wrote it.</summary>
    public async Task<Verified> VerifyAsync(CancellationToken cancellationToken) =>
        await _session.RequestAsync<Verified>(
            _index, new Verify(Interlocked.Increment(ref _nextNumber)), cancellationToken);

    /// <inheritdoc/>
    public void Dispose()
    {
        _encoder.Dispose();
        _image.Map.Dispose();
        _batchSlots.Dispose();
    }

    private async Task TellAsync(List<BlockSpan> spans, bool isFirst, CancellationToken cancellationToken) =>
        _ = await _session.RequestAsync<MissingNoted>(_index, new MissingBlocks(isFirst, [.. spans]), cancellationToken);

    private async Task RunPassAsync(int round, RoundCounters counters, Func<bool> isEnough, CancellationToken cancellationToken)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        RoundPlan plan = new(_image.Dirty, _image.Source, Geometry, isEnough);
        PassFailure failure = new(stop);
        Task[] workers = new Task[_options.Workers];
        for (int i = 0; i < workers.Length; i++)
        {
            RoundWorker worker = new(_image, plan, counters);
            workers[i] = Task.Run(() => WorkAsync(worker, round, counters, failure, stop.Token), CancellationToken.None);
        }

        await Task.WhenAll(workers);
        await _checkpoint;
        failure.ThrowIfAny(cancellationToken);
    }

    /// <summary>One worker's part of a pass; never fails, but notes why it ended.</summary>
    private async Task WorkAsync(
        RoundWorker worker, int round, RoundCounters counters, PassFailure failure, CancellationToken cancellationToken)
    {
        List<Task> deliveries = [];
        try
        {
            bool more = true;
            while (more)
            {
                SendBatch batch = await RentAsync(cancellationToken);
                try
                {
                    more = worker.Fill(batch, cancellationToken);
                }
                catch
                {
                    Drop();
                    throw;
                }

                if (batch.IsEmpty)
                {
                    Return(batch);
                    continue;
                }

                deliveries.Add(DeliverAsync(batch, round, counters, failure, cancellationToken));
                deliveries.RemoveAll(d => d.IsCompleted);
                MaybeCheckpoint(failure, cancellationToken);
            }
        }
        catch (Exception exception)
        {
            await failure.NoteAsync(exception);
        }

        await Task.WhenAll(deliveries);
    }

    /// <summary>Encodes and sends a batch, waits for its ack and applies it; never fails, but notes why it ended.</summary>
    private async Task DeliverAsync(
        SendBatch batch, int round, RoundCounters counters, PassFailure failure, CancellationToken cancellationToken)
    {
        long onTheWay = batch.Blocks.Sum(b => (long)b.Length);
        Interlocked.Add(ref counters.BytesOnTheWay, onTheWay);
        try
        {
            long payload = await _encoder.EncodeAsync(batch, (uint)round, counters, cancellationToken);
            long handedOver = Stopwatch.GetTimestamp();
            (BatchAck ack, int wireBytes) = await _session.SendBatchAsync(_index, batch.Writer, cancellationToken);
            Interlocked.Add(ref counters.PayloadSent, payload);
            Interlocked.Add(ref counters.WireSent, wireBytes);
            Interlocked.Increment(ref _acknowledged);
            _compression.Acknowledged(wireBytes, payload, Stopwatch.GetElapsedTime(handedOver), batch.Codec);
            Interlocked.Add(ref counters.BytesOnTheWay, -onTheWay);
            Interlocked.Add(ref _bytesSinceCheckpoint, onTheWay);
            Apply(batch, ack, counters);
            Return(batch);
        }
        catch (Exception exception)
        {
            Drop();
            await failure.NoteAsync(exception);
        }
    }

    private void Apply(SendBatch batch, BatchAck ack, RoundCounters counters)
    {
        HashSet<long> refused = [];
        foreach (RefusedBlock block in ack.Refused)
        {
            refused.Add((long)Math.Min(block.Block, long.MaxValue));
        }

        // The map moves on before the claim is released: whoever takes the block next compares with the new value.
        foreach (BlockRun run in batch.ZeroRuns)
        {
            _image.Map.SetRun(run.First, run.Count, _image.Zeros.Of(run.First));
            _image.Dirty.Release(run);
        }

        foreach (SendBlock block in batch.Blocks)
        {
            BlockRun run = new(block.Block, 1);
            if (refused.Remove(block.Block))
            {
                if (_image.RequiresLiteral(block.Block))
                {
                    throw new TransportLostException($"{_session.Peer} refused block {block.Block} of image {_index}, which it got whole");
                }

                // What the destination holds there now is whatever it held before; nobody here knows for sure.
                _image.Map.Set(block.Block, Hash256.Unknown);
                _image.RequireLiteral(block.Block);
                _image.Dirty.Fail(run);
                Interlocked.Increment(ref counters.RefusedBlocks);
                continue;
            }

            _image.Map.Set(block.Block, block.Hash);
            _image.LiteralArrived(block.Block);
            _image.Copies.Add(block.Hash, block.Block);
            _image.Dirty.Release(run);
        }

        if (refused.Count > 0)
        {
            throw new TransportLostException($"{_session.Peer} refused block {refused.First()}, which batch {ack.Batch} does not hold");
        }
    }

    // The connection has failed or the copy was called off: the claims are not given back here (safety rule 2), since
    // the destination may still be writing this batch; the next session starts from the destination's own map.
    private void Drop() =>
        // Its memory is the collector's: a write that was given up may still be reading it.
        _batchSlots.Release();

    // Beside the workers: the destination's flush holds up nobody who reads and hashes here.
    private void MaybeCheckpoint(PassFailure failure, CancellationToken cancellationToken)
    {
        long bytes = Interlocked.Read(ref _bytesSinceCheckpoint);
        long last = Interlocked.Read(ref _lastCheckpoint);
        bool due = bytes >= _options.CheckpointBytes
            || (bytes > 0 && Stopwatch.GetElapsedTime(last) >= _options.CheckpointInterval);
        if (due && _checkpoint.IsCompleted
            && Interlocked.CompareExchange(ref _lastCheckpoint, Stopwatch.GetTimestamp(), last) == last)
        {
            _checkpoint = CheckpointBesideAsync(failure, cancellationToken);
        }
    }

    private async Task CheckpointBesideAsync(PassFailure failure, CancellationToken cancellationToken)
    {
        try
        {
            await CheckpointAsync(cancellationToken);
        }
        catch (Exception exception)
        {
            await failure.NoteAsync(exception);
        }
    }

    private async ValueTask<SendBatch> RentAsync(CancellationToken cancellationToken)
    {
        AddSlots();
        if (!_batchSlots.Wait(0, CancellationToken.None))
        {
            long start = Stopwatch.GetTimestamp();
            _compression.WaitBegins();
            try
            {
                await _batchSlots.WaitAsync(cancellationToken);
            }
            finally
            {
                _compression.WaitEnds();
            }

            _session.NoteWaited(Stopwatch.GetElapsedTime(start));
        }

        SendBatch batch = _idle.TryTake(out SendBatch? idle) ? idle : new SendBatch(Geometry, _options.BatchBytes);
        batch.Limit(_options.Limiter.BatchBytes(
            _session.Connections > FewConnections ? _options.BatchBytes / SmallerBatches : _options.BatchBytes));
        return batch;
    }

    // Each connection wants a batch on the wire and one that waits; many connections get smaller ones instead of more memory.
    private void AddSlots()
    {
        int wanted = _options.MaxBatches + (BatchesAConnection * Math.Max(0, _session.Connections - FewConnections));
        int slots = Volatile.Read(ref _slots);
        wanted = Math.Min(wanted, slots + Interlocked.Exchange(ref _acknowledged, 0));
        if (wanted > slots && Interlocked.CompareExchange(ref _slots, wanted, slots) == slots)
        {
            _batchSlots.Release(wanted - slots);
        }
    }

    private void Return(SendBatch batch)
    {
        batch.Reset();
        _idle.Add(batch);
        _batchSlots.Release();
    }

    private void CheckLength()
    {
        _image.Source.CheckIsAt(_image.Source.Name);
        long now = _image.Source.CurrentLength();
        if (now != Geometry.Length)
        {
            throw new ImageIOException(
                Side.Source,
                _image.Source.Name,
                Math.Min(now, Geometry.Length),
                "copy",
                $"the image {(now < Geometry.Length ? "shrank" : "grew")} from {Geometry.Length} to {now} bytes while it was copied",
                "Stop what resizes it, then run the same command again; what the destination holds is kept.");
        }
    }

    private CopyProgress Snapshot(CopyPhase phase, int round, RoundCounters counters, long sentBefore)
    {
        // Read before what is sent: what is called done is in that number then.
        long done = Interlocked.Read(ref counters.BytesDone) - Interlocked.Read(ref counters.BytesOnTheWay);
        long payload = Interlocked.Read(ref counters.PayloadSent);
        long wire = Interlocked.Read(ref counters.WireSent);
        long sent = _session.BytesSent - sentBefore;
        return new CopyProgress(phase)
        {
            Image = _image.Source.Name,
            Round = round,
            // What waits for a slow link is not done: else a small image would stand at 100% while most of it is still here.
            BytesDone = Math.Clamp(done, 0, Geometry.Length),
            BytesTotal = Geometry.Length,
            DirtyBlocks = Interlocked.Read(ref counters.BlocksChanged),

            // Frames leave in pieces: what is on its way is taken to shrink as what has arrived did.
            RawBytes = wire == 0 ? 0 : (long)(payload * ((double)sent / wire)),
            SentBytes = sent,
        };
    }
}
