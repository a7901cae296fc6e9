using DiskSync.Engine.Transports;
using DiskSync.Formats.Wire.Messages;
using Microsoft.Extensions.Logging;

namespace DiskSync.Engine.Replication;

/// <summary>A session at the destination: the targets that it has open, whichever of its connections are alive.</summary>
/// <remarks>
/// Thread safe; each connection has a <see cref="ReceiverLane"/>. Where all connections are lost the targets stay open
/// for a while, so that the source can come back and go on where it was; nobody has to wait for that, since another
/// session that wants one of them just takes it.
/// </remarks>
internal sealed class ReceiverSession : IDisposable
{
    private readonly Lock _lock = new();
    private readonly ReceiverHost _host;
    private readonly BaseMaps _baseMaps;
    private readonly Dictionary<ushort, ReceiverLane> _lanes = [];
    private readonly Dictionary<int, ISeedLibrary?> _seeds = [];

    // Numbers that had a connection, or whose connection the source has given up before it came here.
    private readonly HashSet<ushort> _numbers = [];
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string _identity;
    private readonly TimeSpan _linger;
    private bool _closing;
    private long _visits;

    // The source may have ceded to what is staged: after Prepared nothing of this session touches it before Refused.
    private Guid? _promised;

    public ReceiverSession(ReceiverHost host, Hello hello, ReceiverLane lane)
    {
        _host = host;
        Id = hello.SessionId;
        PeerHost = hello.Host;
        _identity = lane.PeerIdentity;
        _linger = ((Capability)hello.Capabilities).HasFlag(Capability.Connections) ? host.Options.Linger : TimeSpan.Zero;
        _baseMaps = new BaseMaps(host.Targets);
        Targets = new ReceiverTargets(host, this, lane.Peer);
    }

    /// <summary>The session's id, which the source chose.</summary>
    public Guid Id { get; }

    /// <summary>The source's host, as it calls itself.</summary>
    public string PeerHost { get; }

    /// <summary>The images that it has open.</summary>
    public ReceiverTargets Targets { get; }

    /// <summary>Keeps batches apart from what must find nothing being written.</summary>
    public SessionGate Gate { get; } = new();

    /// <summary>Whether no connection is alive.</summary>
    public bool IsDeserted
    {
        get
        {
            lock (_lock)
            {
                return _lanes.Count == 0;
            }
        }
    }

    /// <summary>Takes a connection in.</summary>
    /// <exception cref="DiskSyncException">It may not join.</exception>
    public void Join(ReceiverLane lane)
    {
        lock (_lock)
        {
            if (_closing)
            {
                throw NotTaken("the session has ended");
            }

            RefuseStranger(lane);
            if (_lanes.Count >= _host.Options.MaxConnections || !_numbers.Add(lane.Number))
            {
                throw NotTaken(
                    $"connection {lane.Number} was there before, or is one more than the {_host.Options.MaxConnections} that a session may have");
            }

            _visits++;
            _lanes.Add(lane.Number, lane);
        }
    }

    /// <summary>Whoever has the session's id but not its key has no part in it.</summary>
    /// <exception cref="DiskSyncException">The connection is somebody else's.</exception>
    public void RefuseStranger(ReceiverLane lane)
    {
        if (!string.Equals(lane.PeerIdentity, _identity, StringComparison.Ordinal))
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"the session was opened by '{_identity}'; '{lane.PeerIdentity}' has no part in it",
                "Use the same key for all connections of a transfer.");
        }
    }

    /// <summary>Makes sure that nothing of a connection is written any more (safety rule 2).</summary>
    public async Task DrainAsync(ushort number, ReceiverLane asker)
    {
        ReceiverLane? lane;
        lock (_lock)
        {
            // One that has not arrived yet will not be let in.
            _numbers.Add(number);
            _lanes.TryGetValue(number, out lane);
        }

        if (ReferenceEquals(lane, asker))
        {
            throw new TransportLostException($"{asker.Peer} asked connection {number} to drain itself");
        }

        if (lane is not null)
        {
            await lane.DrainAsync("the source has given this connection up");
        }
    }

    /// <summary>A connection has ended.</summary>
    public async Task LeaveAsync(ReceiverLane lane, LaneEnd end)
    {
        bool isLast;
        long visit;
        lock (_lock)
        {
            _lanes.Remove(lane.Number);
            isLast = _lanes.Count == 0;
            visit = _visits;
        }

        if (end == LaneEnd.Failed)
        {
            await CloseAsync("the session has failed");
        }
        else if (isLast && (end == LaneEnd.Ended || _promised is not null || _linger == TimeSpan.Zero || Targets.All.Count == 0))
        {
            // What is promised is decided in the journals, and whoever asks for it comes as another session.
            await CloseAsync("the session has ended");
        }
        else if (isLast)
        {
            ReceiverLog.Deserted(_host.Logger, Id, _linger.TotalSeconds);
            _ = CloseUnlessVisitedAsync(visit);
        }
    }

    /// <summary>Ends the session: its connections are drained, then the targets closed with what has arrived made durable.</summary>
    /// <remarks>Whoever comes second does not wait: one of the connections that are drained may be the one that calls.</remarks>
    public async Task CloseAsync(string reason)
    {
        ReceiverLane[] lanes;
        lock (_lock)
        {
            if (_closing)
            {
                return;
            }

            _closing = true;
            lanes = [.. _lanes.Values];
        }

        await Task.WhenAll(lanes.Select(l => l.DrainAsync(reason)));
        Targets.Close();
        _host.Forget(this);
        Dispose();
        _closed.TrySetResult();
        ReceiverLog.SessionEnded(_host.Logger, Id);
    }

    /// <summary>Stops the session for good: no write after the returned task has completed (safety rule 2).</summary>
    public async Task FenceAsync()
    {
        Targets.Fence();
        await CloseAsync("the source reconnected");
        await _closed.Task;
    }

    /// <summary>Waits for the session's end, but not for long.</summary>
    /// <returns>Whether it has let go of its targets.</returns>
    public async Task<bool> EndsWithinAsync(TimeSpan patience)
    {
        await Task.WhenAny(_closed.Task, Task.Delay(patience));
        return _closed.Task.IsCompleted;
    }

    /// <summary>Answers a question about a map.</summary>
    public MapData Answer(MapRequest request, ITarget? target)
    {
        lock (_baseMaps)
        {
            return _baseMaps.Answer(request, target);
        }
    }

    /// <summary>The bases that a copy could start from.</summary>
    public IReadOnlyList<BaseOffer> ListBases(ListBases request)
    {
        lock (_baseMaps)
        {
            _baseMaps.Remember(request);
        }

        return _host.Targets.ListBases(request);
    }

    /// <summary>The contents that this host's images hold; looked for when they are asked for first.</summary>
    /// <returns>Null where there are none.</returns>
    public ISeedLibrary? Seeds(int granularity, CancellationToken cancellationToken)
    {
        lock (_seeds)
        {
            if (!_seeds.TryGetValue(granularity, out ISeedLibrary? library))
            {
                library = _host.Targets.OpenSeeds(granularity, cancellationToken);
                _seeds.Add(granularity, library);
            }

            return library;
        }
    }

    /// <summary>What is staged is promised to an attempt from here on; null promises nothing.</summary>
    public void Promise(Guid? attempt)
    {
        lock (_lock)
        {
            _promised = attempt ?? _promised;
        }
    }

    /// <summary>The attempt was refused: nothing is promised to it any more.</summary>
    public void Release(Guid attempt)
    {
        lock (_lock)
        {
            _promised = _promised == attempt ? null : _promised;
        }
    }

    /// <summary>Refuses what would change what is promised.</summary>
    /// <exception cref="TransportLostException">It would.</exception>
    public void RefuseIfPromised(ReceivedFrame frame)
    {
        lock (_lock)
        {
            if (_promised is not null && frame.Message is null or Seal or MissingBlocks or CloseImage { Discard: true })
            {
                throw new TransportLostException(
                    $"the source sent {frame.Type} after Prepare: what is prepared stays as it is until it is refused");
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _baseMaps.Dispose();
        Gate.Dispose();
        foreach (ISeedLibrary? library in _seeds.Values)
        {
            library?.Dispose();
        }

        _seeds.Clear();
    }

    private static DiskSyncException NotTaken(string reason) =>
        new(FailureKind.Preflight, reason, "Run the same command again: it goes on from what is durable.");

    private async Task CloseUnlessVisitedAsync(long visit)
    {
        await Task.WhenAny(_closed.Task, Task.Delay(_linger));
        bool isDeserted;
        lock (_lock)
        {
            isDeserted = _visits == visit && _lanes.Count == 0;
        }

        if (isDeserted)
        {
            await CloseAsync("the source did not come back");
        }
    }
}
