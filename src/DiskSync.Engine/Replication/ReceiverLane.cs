using System.Net.Sockets;
using System.Runtime.ExceptionServices;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Journal;
using DiskSync.Engine.Transports;
using DiskSync.Formats;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Linux;

namespace DiskSync.Engine.Replication;

/// <summary>The destination's end of one connection: validates, writes, acknowledges, in the order of the frames.</summary>
/// <remarks>
/// Frames are handled one after the other. What takes long (opening, reading back, the hand-over) runs beside the
/// receiving loop, which goes on answering pings; the next frame that needs handling waits for it. Checkpoints, and
/// waiting for another connection's end, hold up no batches. PROTOCOL.md, "The destination".
/// </remarks>
internal sealed class ReceiverLane : IDisposable
{
    private static readonly TimeSpan ReasonPatience = TimeSpan.FromSeconds(2);
    private readonly ReceiverHost _host;
    private readonly Connection _connection;
    private readonly ReceiverProgress _progress;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Dictionary<ITarget, BatchApplier> _appliers = [];
    private Task _longOperation = Task.CompletedTask;
    private Task _beside = Task.CompletedTask;
    private Task<ReceivedFrame>? _receive;
    private ReceiverSession? _session;

    public ReceiverLane(ReceiverHost host, Connection connection)
    {
        _host = host;
        _connection = connection;
        _progress = new ReceiverProgress(connection);
    }

    /// <summary>The connection's number in its session.</summary>
    public ushort Number { get; private set; }

    /// <summary>The source, for messages.</summary>
    public string Peer => _connection.Peer;

    /// <summary>Who the source has proven to be; empty where the transport does not ask.</summary>
    public string PeerIdentity => _connection.PeerIdentity;

    private Guid SessionId => _session?.Id ?? Guid.Empty;

    private ReceiverSession Session => _session ?? throw new InvalidOperationException("no greeting yet");

    private ReceiverTargets Targets => Session.Targets;

    /// <summary>Ends this connection for good: nothing of it is written after the returned task has completed (safety rule 2).</summary>
    public async Task DrainAsync(string reason)
    {
        _connection.Break(reason);
        await _drained.Task;
    }

    /// <summary>Serves the connection until it ends.</summary>
    /// <exception cref="DiskSyncException">How it failed; the source has been told where it could be.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        LaneEnd end = LaneEnd.Failed;
        await using CancellationTokenRegistration registration = cancellationToken.Register(_stop.Cancel);
        try
        {
            await _connection.OpenAsync(greeting: null, _stop.Token);
            await GreetAsync();
            while (await HandleNextAsync())
            {
            }

            end = LaneEnd.Ended;
        }
        catch (OperationCanceledException exception) when (cancellationToken.IsCancellationRequested)
        {
            DiskSyncException failure = new(
                FailureKind.Interrupted,
                "the receiver was stopped",
                "Start it and run the same command again: it goes on from what is durable.",
                exception);
            await TellPeerAsync(failure);
            throw failure;
        }
        catch (TransportLostException exception) when (exception.InnerException is IOException or ObjectDisposedException or InvalidOperationException)
        {
            DiskSyncException failure = await PeersReasonAsync() ?? (DiskSyncException)exception;
            end = failure is PeerAbortedException ? LaneEnd.Failed : LaneEnd.Lost;
            ReceiverLog.SessionFailed(_host.Logger, SessionId, failure.Message);
            ExceptionDispatchInfo.Throw(failure);
        }
        catch (DiskSyncException exception)
        {
            ReceiverLog.SessionFailed(_host.Logger, SessionId, exception.Message);
            if (exception is not (TransportLostException or PeerAbortedException))
            {
                await TellPeerAsync(exception);
            }

            throw;
        }
        catch (FormatViolationException exception)
        {
            TransportLostException failure = new(
                $"{_connection.Peer} broke the protocol: {exception.Message}", string.Empty, exception);
            ReceiverLog.SessionFailed(_host.Logger, SessionId, failure.Message);
            await TellPeerAsync(failure);
            throw failure;
        }
        catch (Exception exception) when (exception is LinuxException or IOException or UnauthorizedAccessException)
        {
            DiskSyncException failure = new(
                FailureKind.Destination,
                $"destination: {exception.Message}",
                exception is LinuxException { IsFull: true }
                    ? "Free space there, then run the same command again: it goes on from what is durable."
                    : "Look at the destination's storage and permissions, then run the same command again.",
                exception);
            ReceiverLog.SessionFailed(_host.Logger, SessionId, failure.Message);
            await TellPeerAsync(failure);
            throw failure;
        }
        catch (Exception exception)
        {
            ReceiverLog.Bug(_host.Logger, SessionId, exception);
            await _connection.SendAbortAsync(new Abort(
                AbortCode.Internal, true, string.Empty, -1, $"bug in the receiver: {exception.Message}", "Please report it with the receiver's log."));
            throw;
        }
        finally
        {
            await CloseAsync(end);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _stop.Dispose();

    /// <summary>A write fails when the source has closed; its Abort, which says why, may still be on its way to us.</summary>
    private async Task<PeerAbortedException?> PeersReasonAsync()
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        patience.CancelAfter(ReasonPatience);
        try
        {
            if (_receive is { IsCompleted: false })
            {
                await _receive.WaitAsync(patience.Token);
            }

            while (true)
            {
                await _connection.ReceiveAsync(patience.Token);
            }
        }
        catch (PeerAbortedException aborted)
        {
            return aborted;
        }
        catch (Exception exception) when (exception is DiskSyncException or OperationCanceledException)
        {
            return null;
        }
    }

    private async Task GreetAsync()
    {
        ReceivedFrame frame = await _connection.ReceiveAsync(_stop.Token);
        Hello hello = frame.Message as Hello
            ?? throw new TransportLostException($"{_connection.Peer} began with {frame.Type} instead of Hello");
        Number = hello.Connection;
        _session = await _host.JoinAsync(hello, this);
        _connection.LimitBodies(hello.MaxBody);
        await SendAsync(FrameHeader.NoImage, new Welcome(
            hello.SessionId,
            hello.Capabilities & (ulong)_host.Supported,
            WireLimits.MaxBody,
            _host.Options.Window,
            Environment.MachineName,
            ProductVersion.Text));
        ReceiverLog.SessionOpened(_host.Logger, SessionId, hello.Host, hello.Software);
    }

    private async Task<bool> HandleNextAsync()
    {
        ReceivedFrame frame = await ReceiveAfterLongOperationAsync();
        Session.RefuseIfPromised(frame);
        switch (frame.Message)
        {
            case null:
                await ApplyAsync(frame);
                return true;
            case End end:
                if (end.FramesSent != (ulong)_connection.FramesReceived)
                {
                    throw new TransportLostException(
                        $"{_connection.Peer} says it sent {end.FramesSent} frames; {_connection.FramesReceived} arrived");
                }

                await SendAsync(FrameHeader.NoImage, new EndAck((ulong)_connection.FramesReceived));
                return false;
            case Checkpoint checkpoint:
                _beside = RunBesideAsync(_beside, () => CheckpointAsync(frame.Image, checkpoint));
                return true;
            case Drain drain:
                _beside = RunBesideAsync(_beside, () => DrainAsync(drain));
                return true;
            case SubHashRequest request:
                await SendAsync(frame.Image, ApplierOf(frame.Image).SubHashes(request));
                return true;
            case MapRequest request:
                await SendAsync(frame.Image, Session.Answer(request, request.Subject.IsUnknown ? Targets.Of(frame.Image) : null));
                return true;
            case ListBases request:
                await SendAsync(frame.Image, new Bases(Session.ListBases(request)));
                return true;
            case CheckResume check:
                await HandOver().CheckResumeAsync(check.Resume, _stop.Token);
                await SendAsync(FrameHeader.NoImage, new ResumeChecked());
                return true;
            case Serve serve:
                await RelayAsync(serve);
                return false;
            case CloseImage close:
                await AloneAsync(() => CloseImageAsync(frame.Image, close.Discard));
                return true;
            default:
                _longOperation = StartLong(frame.Image, frame.Message);
                return true;
        }
    }

    /// <summary>Receives while a long operation runs, so that its failure and the peer's are both noticed at once.</summary>
    private async Task<ReceivedFrame> ReceiveAfterLongOperationAsync()
    {
        _receive = _connection.ReceiveAsync(_stop.Token).AsTask();
        if (!_receive.IsCompleted && !(_longOperation.IsCompletedSuccessfully && _beside.IsCompletedSuccessfully))
        {
            await Task.WhenAny(_receive, FailureOf(_longOperation), FailureOf(_beside));
        }

        foreach (Task work in new[] { _longOperation, _beside })
        {
            if (work.IsFaulted || work.IsCanceled)
            {
                await work;
            }
        }

        ReceivedFrame frame = await _receive;
        await _longOperation;
        if (frame.Message is not null and not Checkpoint and not Drain)
        {
            await _beside;
        }

        return frame;
    }

    private static Task FailureOf(Task work) => work.IsCompletedSuccessfully
        ? Task.Delay(Timeout.Infinite)
        : work.ContinueWith(t => t.IsCompletedSuccessfully ? Task.Delay(Timeout.Infinite) : t, TaskScheduler.Default).Unwrap();

    private static async Task RunBesideAsync(Task before, Func<Task> work)
    {
        await before;
        await Task.Run(work);
    }

    private async Task CheckpointAsync(ushort image, Checkpoint checkpoint)
    {
        Targets.Of(image).Store.Checkpoint();
        Targets.ReadBackEarly(image);
        await SendAsync(image, new DurableAck(checkpoint.Number));
    }

    private async Task DrainAsync(Drain drain)
    {
        await Session.DrainAsync(drain.Connection, this);
        await SendAsync(FrameHeader.NoImage, new Drained(drain.Connection));
    }

    private async Task AloneAsync(Func<Task> work)
    {
        // Batches of other connections wait, and those that are being written are waited for.
        using IDisposable alone = await Session.Gate.EnterAloneAsync(_stop.Token);
        await work();
    }

    private Task StartLong(ushort image, Message message) => message switch
    {
        OpenImage open => Task.Run(() => AloneAsync(() => OpenAsync(image, open))),
        Verify verify => Task.Run(() => AloneAsync(() => VerifyAsync(image, verify))),
        KeepRound keep => Task.Run(() => AloneAsync(() => KeepRoundAsync(image, keep))),
        Formats.Wire.Messages.Seal seal => Task.Run(() => AloneAsync(() => SealAsync(image, seal))),
        Prepare prepare => Task.Run(() => AloneAsync(() => PrepareAsync(prepare))),
        PrepareTail prepare => Task.Run(() => AloneAsync(() => PrepareTailAsync(prepare))),
        MissingBlocks missing => Task.Run(() => AloneAsync(() => NoteMissingAsync(image, missing))),
        QueryTail query => Task.Run(async () => await SendAsync(FrameHeader.NoImage, await HandOver().QueryTailAsync(query))),
        Commit commit => Task.Run(() => AloneAsync(() => CommitAsync(commit))),
        Refuse refuse => Task.Run(() => AloneAsync(() => RefuseAsync(refuse))),
        SeedRequest request => Task.Run(() => SeedsAsync(image, request)),
        CheckImage check => Task.Run(() => CheckAsync(image, check)),
        QueryAttempt query => Task.Run(async () =>
            await SendAsync(FrameHeader.NoImage, await HandOver().QueryAsync(query))),
        _ => throw new TransportLostException($"{_connection.Peer} sent {message.GetType().Name}, which a source does not send"),
    };

    private async Task OpenAsync(ushort image, OpenImage request)
    {
        if (Targets.All.ContainsKey(image) || !WireLimits.IsImage(image))
        {
            throw new TransportLostException($"{_connection.Peer} opened image {image} twice, or beyond the limit");
        }

        if (request.Flags.HasFlag(OpenFlags.HandOver))
        {
            HandOver();
        }

        if (BlockGeometry.TryCreate((long)Math.Min(request.Length, long.MaxValue), request.Granularity, out BlockGeometry geometry))
        {
            BlockBudget.Check($"destination {request.Name}", geometry, Targets.BlockCount);
        }

        _host.HandOver?.Guard(request.Name);
        await _host.ClaimAsync(request.Name, Session);
        ITarget target;
        try
        {
            target = _host.Targets.Open(
                request, SessionId, _progress.Of(image), () => _host.HandOver?.Guard(request.Name), _stop.Token);
        }
        catch
        {
            _host.Release(request.Name, Session);
            throw;
        }

        Targets.Add(image, target);
        ReceiverLog.TargetOpened(_host.Logger, target.Name, target.StagedAs, target.State.ToString(), target.Store.FenceNumber);
        await SendAsync(image, new ImageReady(
            target.Store.FenceNumber,
            target.State,
            (ulong)target.Store.Map.KnownCount,
            target.Store.Map.Root(),
            target.Epoch,
            target.StagedAs,
            target.BaseUsed,
            target.Notice));
    }

    private async Task ApplyAsync(ReceivedFrame frame)
    {
        BatchAck ack;
        await Session.Gate.EnterAsync(_stop.Token);
        try
        {
            ack = ApplierOf(frame.Image).Apply(frame.Body);
        }
        finally
        {
            Session.Gate.Leave();
        }

        await SendAsync(frame.Image, ack);
    }

    // Each connection has its own, because several may write one image at the same time.
    private BatchApplier ApplierOf(ushort image)
    {
        ITarget target = Targets.Of(image);
        if (!_appliers.TryGetValue(target, out BatchApplier? applier))
        {
            applier = new BatchApplier(target, image, () => Session.Seeds(target.Store.Geometry.Granularity, _stop.Token));
            _appliers.Add(target, applier);
        }

        return applier;
    }

    private async Task SeedsAsync(ushort image, SeedRequest request)
    {
        ISeedLibrary? library = Session.Seeds(Targets.Of(image).Store.Geometry.Granularity, _stop.Token);
        await SendAsync(image, library is null ? new Seeds(0, []) : new Seeds((ulong)library.Known, library.Find(request.Hashes)));
    }

    private async Task CheckAsync(ushort image, CheckImage request)
    {
        _host.HandOver?.Guard(request.Name);
        ImageChecked answer = _host.Targets.Check(request, _stop.Token);
        ReceiverLog.TargetChecked(_host.Logger, request.Name, answer.Identical, answer.Why);
        await SendAsync(image, answer);
    }

    private async Task VerifyAsync(ushort image, Verify request)
    {
        ITarget target = Targets.Of(image);
        ReadBackResult result = target.Store.ReadBack(_progress.Of(image, ProgressPhase.ReadingBack), _stop.Token);
        if (result.Wrong.Count > 0)
        {
            ReceiverLog.ReadBackDiffers(_host.Logger, target.Name, result.Wrong.Count);
        }

        ulong[] wrong = [.. result.Wrong.Take(WireLimits.MaxWrongBlocks).Select(b => (ulong)b)];
        await SendAsync(image, new Verified(
            request.Number, target.Store.Root(), (ulong)result.BytesRead, wrong, result.Wrong.Count > wrong.Length));
    }

    private async Task KeepRoundAsync(ushort image, KeepRound request)
    {
        // A clone shares what is in the file, and that the file has it all is the checkpoint's word.
        ITarget target = Targets.Of(image);
        target.Store.Checkpoint();
        (string path, string why) = target.KeepRound(request.Round);
        await SendAsync(image, new RoundKept(target.Store.Root(), path, why));
    }

    private async Task SealAsync(ushort image, Formats.Wire.Messages.Seal request)
    {
        ITarget target = Targets.Of(image);
        if (target.Store.UnreadBlocks > 0)
        {
            throw new TransportLostException(
                $"{_connection.Peer} asked to seal {target.Name} though {target.Store.UnreadBlocks} blocks of it were not read back; it was not sealed");
        }

        // Meanwhile the name may have become that of a disk which this host owns.
        _host.HandOver?.Guard(target.Name);
        string path = target.Finish(new SealRequest(request.Epoch, request.Root, Guid.Empty));
        ReceiverLog.TargetSealed(_host.Logger, target.Name, path, request.Epoch, request.Root.ToString());
        Targets.Forget(image);
        await SendAsync(image, new Sealed(path));
    }

    private async Task PrepareAsync(Prepare request)
    {
        Message answer = await HandOver().PrepareAsync(request, Targets.All, Session.PeerHost);
        Session.Promise(answer is Prepared ? request.Attempt : null);
        await SendAsync(FrameHeader.NoImage, answer);
    }

    private async Task PrepareTailAsync(PrepareTail request)
    {
        Message answer = await HandOver().PrepareTailAsync(request, Targets.All, Session.PeerHost);
        Session.Promise(answer is Prepared ? request.Attempt : null);
        await SendAsync(FrameHeader.NoImage, answer);
    }

    private async Task NoteMissingAsync(ushort image, MissingBlocks request)
    {
        TargetStore store = Targets.Of(image).Store;
        if (request.IsFirst)
        {
            store.Missing.Clear();
        }

        foreach (BlockSpan span in request.Spans)
        {
            if (!store.Geometry.Contains((long)span.First, (long)span.Count))
            {
                throw new TransportLostException($"{_connection.Peer} calls block {span.First} missing, which image {image} does not have");
            }

            store.Missing.Add((long)span.First, (long)span.Count);
        }

        await SendAsync(image, new MissingNoted((ulong)store.Missing.Count));
    }

    private async Task RefuseAsync(Refuse request)
    {
        Message answer = await HandOver().RefuseAsync(request);
        if (answer is Refused)
        {
            Session.Release(request.Attempt);
        }

        await SendAsync(FrameHeader.NoImage, answer);
    }

    private async Task CommitAsync(Commit request)
    {
        await HandOver().CommitAsync(request, Targets.All, async message =>
        {
            // Whatever the link does: the attempt is decided in the journals, not here.
            try
            {
                await SendAsync(FrameHeader.NoImage, message);
            }
            catch (DiskSyncException exception)
            {
                ReceiverLog.SessionFailed(_host.Logger, SessionId, exception.Message);
            }
        });
    }

    private async Task CloseImageAsync(ushort image, bool discard)
    {
        ITarget target = Targets.Of(image);
        if (discard)
        {
            target.Discard();
        }
        else
        {
            target.Store.Checkpoint();
        }

        ulong durable = discard ? 0 : (ulong)target.Store.Map.KnownCount;
        Targets.Forget(image);
        await SendAsync(image, new ImageClosed(durable));
    }

    private async Task RelayAsync(Serve offer)
    {
        await _connection.HushAsync(_stop.Token);
        TailDoor door = HandOver().FindTail(offer);
        if (door.Standing is { } standing)
        {
            await SendAsync(FrameHeader.NoImage, standing);
            return;
        }

        Socket export = await TailRelay.ConnectAsync(door, offer, Session.PeerHost, _host.Options.ExportPatience, _stop.Token);
        try
        {
            await SendAsync(FrameHeader.NoImage, new Serving(offer.Attempt, offer.Epoch));
        }
        catch
        {
            export.Dispose();
            throw;
        }

        ReceiverLog.TailBegun(_host.Logger, door.Image, Session.PeerHost, offer.Use.ToString());
        await TailRelay.RunAsync(_connection.Detach(), export, _stop.Token);
        ReceiverLog.TailEnded(_host.Logger, door.Image, offer.Use.ToString());
    }

    private async Task CloseAsync(LaneEnd end)
    {
        await _stop.CancelAsync();
        _connection.Break("the session has ended");
        foreach (Task pending in new[] { _longOperation, _beside, _receive ?? Task.CompletedTask })
        {
            try
            {
                await pending;
            }
            catch (Exception exception) when (exception is not OutOfMemoryException)
            {
                // It was reported when the loop saw it, or is a consequence of the end; the locks must go in any case.
            }
        }

        foreach (BatchApplier applier in _appliers.Values)
        {
            applier.Dispose();
        }

        _drained.TrySetResult();
        if (_session is not null)
        {
            await _session.LeaveAsync(this, end);
        }
    }

    private IHandOverParticipant HandOver() => _host.HandOver
        ?? throw new DiskSyncException(
            FailureKind.Preflight,
            "this receiver takes no ownership",
            "Start the receiver with a state folder (--state), or use 'disksync push'.");

    private ValueTask SendAsync(ushort image, Message message) =>
        _connection.SendAsync(image, message, CancellationToken.None);

    private Task TellPeerAsync(DiskSyncException exception)
    {
        ImageIOException? io = exception as ImageIOException;
        return _connection.SendAbortAsync(new Abort(
            PeerAbortedException.CodeOf(exception.Kind),
            true,
            io?.Image ?? string.Empty,
            io?.Offset ?? -1,
            exception.Message,
            exception.Advice));
    }
}
