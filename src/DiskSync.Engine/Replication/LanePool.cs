using System.Collections.Concurrent;
using System.Diagnostics;
using DiskSync.Engine.Transports;
using DiskSync.Formats.Wire;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Engine.Replication;

/// <summary>The connections of one session at the source: which of them takes a batch, and what happens when one is lost.</summary>
/// <remarks>
/// Thread safe. A batch goes to the connection that will be done with it first, so a slow one gets little and holds
/// nobody up. A lost connection is drained over another one (safety rule 2), which is opened where none is left. Owns
/// the connections.
/// </remarks>
internal sealed class LanePool : IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(3);

    private readonly Lock _lock = new();
    private readonly LaneOpener _opener;
    private readonly List<SourceLane> _alive = [];
    private readonly List<SourceLane> _all = [];
    private readonly HashSet<SourceLane> _retiring = [];
    private readonly ConcurrentDictionary<SourceLane, Task> _recoveries = new();
    private readonly SemaphoreSlim _reviving = new(1, 1);
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource<DiskSyncException> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task? _governor;
    private SourceLane _requests;
    private long _onTheWay;
    private long _arrived;
    private long _waited;
    private bool _ending;

    public LanePool(LaneOpener opener, SourceLane first)
    {
        _opener = opener;
        First = first;
        _requests = first;
        Join(first);
    }

    /// <summary>The session's first connection; its greeting holds for all.</summary>
    public SourceLane First { get; }

    /// <summary>Completes with the reason when the session has failed for good.</summary>
    public Task<DiskSyncException> Failed => _failed.Task;

    /// <summary>Whether what was lost with a connection can be done over another one.</summary>
    public bool CanRecover =>
        _opener.More is not null
        && ((Capability)First.Welcome.Capabilities).HasFlag(Capability.Connections)
        && !_failed.Task.IsCompleted && !_stop.IsCancellationRequested;

    /// <summary>How many connections are alive.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _alive.Count;
            }
        }
    }

    public int MostAtOnce { get; private set; }

    public int Lost { get; private set; }

    public long BytesSent => Sum(l => l.BytesSent);

    public long BytesReceived => Sum(l => l.BytesReceived);

    /// <summary>Bytes of batches that were acknowledged.</summary>
    public long BytesArrived => Interlocked.Read(ref _arrived);

    /// <summary>
    /// Bytes that have reached the destination's host, as far as the transport knows, which tells at any moment; else those of
    /// batches that were acknowledged, which come in lumps.
    /// </summary>
    public long BytesDelivered
    {
        get
        {
            lock (_lock)
            {
                long sum = 0;
                foreach (SourceLane lane in _all)
                {
                    if (lane.BytesDelivered is not { } bytes)
                    {
                        return BytesArrived;
                    }

                    sum += bytes;
                }

                return sum;
            }
        }
    }

    /// <summary>How long senders have waited for the connections, all of them together.</summary>
    public TimeSpan Waited => TimeSpan.FromTicks(Interlocked.Read(ref _waited));

    /// <summary>Those that are alive and take batches, for whoever decides how many there should be.</summary>
    public SourceLane[] Taking()
    {
        lock (_lock)
        {
            return [.. _alive.Where(l => !_retiring.Contains(l))];
        }
    }

    /// <summary>The connection for requests; one that has failed where none is alive.</summary>
    public SourceLane ForRequests()
    {
        lock (_lock)
        {
            if (_alive.Count > 0 && !_alive.Contains(_requests))
            {
                _requests = _alive[0];
            }

            return _requests;
        }
    }

    /// <summary>Takes note of time that a sender spent waiting because all that may be on its way was on its way.</summary>
    public void NoteWaited(TimeSpan elapsed) => Interlocked.Add(ref _waited, elapsed.Ticks);

    /// <summary>Picks a connection for a batch and books it there.</summary>
    /// <exception cref="DiskSyncException">The session has failed.</exception>
    public async Task<SourceLane> TakeAsync(long bytes, CancellationToken cancellationToken)
    {
        long start = 0;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Task changed;
            lock (_lock)
            {
                if (_failed.Task.IsCompleted)
                {
                    throw _failed.Task.Result;
                }

                if (Pick(bytes) is { } lane)
                {
                    lane.Load.Begin(bytes);
                    _onTheWay += bytes;
                    _governor ??= CanRecover ? Task.Run(GovernAsync, CancellationToken.None) : Task.CompletedTask;
                    if (start != 0)
                    {
                        NoteWaited(Stopwatch.GetElapsedTime(start));
                    }

                    return lane;
                }

                changed = _changed.Task;
            }

            start = start == 0 ? Stopwatch.GetTimestamp() : start;
            await changed.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Takes note that a batch has arrived, or was lost.</summary>
    public void Return(SourceLane lane, long bytes, bool arrived)
    {
        lane.Load.End(bytes, arrived);
        if (arrived)
        {
            Interlocked.Add(ref _arrived, bytes);
        }

        lock (_lock)
        {
            _onTheWay -= bytes;
        }

        Changed();
    }

    /// <summary>Opens one more connection.</summary>
    /// <exception cref="DiskSyncException">It cannot be had.</exception>
    public async Task OpenOneAsync(CancellationToken cancellationToken)
    {
        SourceLane lane = await _opener.OpenAsync(cancellationToken);
        if (!Join(lane))
        {
            await lane.DisposeAsync();
        }
    }

    /// <summary>Gives a connection nothing more, and ends it when what it has is done.</summary>
    public void Retire(SourceLane lane)
    {
        lock (_lock)
        {
            if (_alive.Count - _retiring.Count < 2 || !_alive.Contains(lane) || lane == ForRequests() || !_retiring.Add(lane))
            {
                return;
            }
        }

        _ = EndQuietlyAsync(lane, _stop.Token);
    }

    /// <summary>Waits until nothing that was on a failed connection will be written any more, and another one is there.</summary>
    /// <exception cref="DiskSyncException">The session has failed.</exception>
    public async Task RecoverAsync(SourceLane failed, CancellationToken cancellationToken)
    {
        await StartRecovery(failed).WaitAsync(cancellationToken);
        if (_failed.Task.IsCompleted)
        {
            throw await _failed.Task;
        }
    }

    /// <summary>Ends all connections but the one for requests; what one of them has is done first.</summary>
    public async Task EndOthersAsync(CancellationToken cancellationToken)
    {
        SourceLane[] others;
        lock (_lock)
        {
            // Whoever opens one now is too late: it is closed again.
            _ending = true;
            SourceLane kept = ForRequests();
            others = [.. _alive.Where(l => l != kept)];
            _retiring.UnionWith(others);
        }

        await Task.WhenAll(others.Select(l => EndQuietlyAsync(l, cancellationToken)));
    }

    /// <summary>Tells the destination why this side gives up; best effort.</summary>
    public Task AbortAsync(Abort abort) => ForRequests().AbortAsync(abort);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        SourceLane[] all;
        lock (_lock)
        {
            _ending = true;
            all = [.. _all];
        }

        await _stop.CancelAsync();
        Changed();
        foreach (SourceLane lane in all)
        {
            await lane.DisposeAsync();
        }

        await Task.WhenAll([.. _recoveries.Values, _governor ?? Task.CompletedTask]);
    }

    private bool Join(SourceLane lane)
    {
        lock (_lock)
        {
            if (_ending || _failed.Task.IsCompleted)
            {
                return false;
            }

            _alive.Add(lane);
            _all.Add(lane);
            MostAtOnce = Math.Max(MostAtOnce, _alive.Count);
        }

        _ = WatchAsync(lane);
        Changed();
        return true;
    }

    private async Task WatchAsync(SourceLane lane)
    {
        DiskSyncException reason = await lane.Failed;
        lock (_lock)
        {
            bool isRetired = _retiring.Remove(lane);
            _alive.Remove(lane);
            if (_stop.IsCancellationRequested || (isRetired && lane.Load.IsIdle))
            {
                return;
            }

            Lost++;
        }

        if (reason is not TransportLostException || !CanRecover)
        {
            // A destination that gives up says so on any of its connections.
            FailForGood(reason);
            return;
        }

        await StartRecovery(lane);
    }

    private Task StartRecovery(SourceLane failed) =>
        _recoveries.GetOrAdd(failed, lane => Task.Run(() => DrainAsync(lane)));

    private async Task DrainAsync(SourceLane failed)
    {
        lock (_lock)
        {
            _alive.Remove(failed);
        }

        DiskSyncException reason = await failed.Failed;
        try
        {
            while (true)
            {
                SourceLane other = await ReviveAsync();
                try
                {
                    Message answer = await other.RequestAsync(
                        FrameHeader.NoImage, new Drain(failed.Number), [typeof(Drained)], _stop.Token);
                    if (((Drained)answer).Connection != failed.Number)
                    {
                        throw new TransportLostException($"{other.Peer} was to drain connection {failed.Number} and drained another one");
                    }

                    Changed();
                    return;
                }
                catch (TransportLostException) when (other.HasFailed)
                {
                    lock (_lock)
                    {
                        _alive.Remove(other);
                    }
                }
            }
        }
        catch (OperationCanceledException)
        {
            FailForGood(reason);
        }
        catch (DiskSyncException exception)
        {
            FailForGood(exception is PeerAbortedException ? exception : reason);
        }
    }

    /// <summary>A living connection: one that is there, or a new one, for as long as there is patience.</summary>
    private async Task<SourceLane> ReviveAsync()
    {
        long start = Stopwatch.GetTimestamp();
        TimeSpan pause = FirstPause;
        await _reviving.WaitAsync(_stop.Token);
        try
        {
            while (true)
            {
                lock (_lock)
                {
                    if (_alive.Count > 0)
                    {
                        return ForRequests();
                    }
                }

                try
                {
                    await OpenOneAsync(_stop.Token);
                }
                catch (TransportLostException) when (Stopwatch.GetElapsedTime(start) < _opener.More!.Patience)
                {
                    await Task.Delay(pause, _stop.Token);
                    pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
                }
                catch (PeerAbortedException refused)
                {
                    // The receiver has been started anew, for one. How the connection was lost tells more.
                    throw new TransportLostException($"the destination does not take the session back: {refused.Message}", refused.Advice, refused);
                }
            }
        }
        finally
        {
            _reviving.Release();
        }
    }

    private async Task EndQuietlyAsync(SourceLane lane, CancellationToken cancellationToken)
    {
        try
        {
            while (!lane.Load.IsIdle)
            {
                Task changed;
                lock (_lock)
                {
                    changed = _changed.Task;
                }

                if (!lane.Load.IsIdle)
                {
                    await changed.WaitAsync(cancellationToken);
                }
            }

            await lane.RequestAsync(FrameHeader.NoImage, new End(0), [typeof(EndAck)], cancellationToken);
            lock (_lock)
            {
                _alive.Remove(lane);
                _retiring.Remove(lane);
            }

            await lane.DisposeAsync();
        }
        catch (Exception exception) when (exception is DiskSyncException or OperationCanceledException or ObjectDisposedException)
        {
            // Nothing was on it; its loss loses nothing.
        }
    }

    private Task GovernAsync() => new LaneGovernor(this, _opener.More!, _opener.Limiter).RunAsync(_stop.Token);

    private SourceLane? Pick(long bytes)
    {
        if (_onTheWay > 0 && _onTheWay + bytes > First.Welcome.Window)
        {
            return null;
        }

        SourceLane? best = null;
        double bestSeconds = double.PositiveInfinity;
        double usual = _alive.Count == 0 ? 0 : _alive.Max(l => l.Load.Rate);
        foreach (SourceLane lane in _alive)
        {
            if (_retiring.Contains(lane) || !lane.Load.HasRoom)
            {
                continue;
            }

            double seconds = lane.Load.SecondsFor(bytes, usual);
            if (seconds < bestSeconds)
            {
                (best, bestSeconds) = (lane, seconds);
            }
        }

        return best;
    }

    private void FailForGood(DiskSyncException reason)
    {
        _failed.TrySetResult(reason);
        Changed();
        SourceLane[] left;
        lock (_lock)
        {
            left = [.. _alive];
        }

        foreach (SourceLane lane in left)
        {
            lane.Break("the session has failed");
        }
    }

    private void Changed()
    {
        TaskCompletionSource before;
        lock (_lock)
        {
            before = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        before.TrySetResult();
    }

    private long Sum(Func<SourceLane, long> of)
    {
        lock (_lock)
        {
            return _all.Sum(of);
        }
    }
}
