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
/// receiving loop, which goes on answering pings; the next frame that needs handling waits for it.
/// PROTOCOL.md, "The destination".
/// </remarks>
internal sealed class ReceiverSession : IDisposable
{
    private static readonly TimeSpan ReasonPatience = TimeSpan.FromSeconds(2);
    private readonly ReceiverHost _host;
    private readonly Connection _connection;
    private readonly ReceiverTargets _targets;
    private readonly ReceiverProgress _progress;

    // The source may have ceded to what is staged: after Prepared nothing of this session touches it before Refused.
    private Guid? _promised;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly BaseMaps _baseMaps;
    private Task _longOperation = Task.CompletedTask;
    private Task<ReceivedFrame>? _receive;
    private Hello? _hello;

    public ReceiverSession(ReceiverHost host, Connection connection)
    {
        _host = host;
        _connection = connection;
        _targets = new ReceiverTargets(host, this, connection.Peer);
        _progress = new ReceiverProgress(connection);
        _baseMaps = new BaseMaps(host.Targets);
    }

    public Guid SessionId => _hello?.SessionId ?? Guid.Empty;

    public string PeerHost => _hello?.Host ?? _connection.Peer;

    /// <summary>Stops this connection for good: no write after the returned task has completed (safety rule 2).</summary>
    public async Task FenceAsync()
    {
        _targets.Fence();
        _connection.Break("the source reconnected");
        await _drained.Task;
    }

    /// <summary>Waits for this connection's end, but not for long.</summary>
    /// <returns>Whether it has let go of its targets.</returns>
    public async Task<bool> DrainsWithinAsync(TimeSpan patience)
    {
        await Task.WhenAny(_drained.Task, Task.Delay(patience));
        return _drained.Task.IsCompleted;
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await using CancellationTokenRegistration registration = cancellationToken.Register(_stop.Cancel);
        try
        {
            await _connection.OpenAsync(_stop.Token);
            await GreetAsync();
            while (await HandleNextAsync())
            {
            }

            ReceiverLog.SessionEnded(_host.Logger, SessionId);
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
        catch (TransportLostException exception) when (exception.InnerException is IOException)
        {
            DiskSyncException failure = await PeersReasonAsync() ?? (DiskSyncException)exception;
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
            await CloseAsync();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _baseMaps.Dispose();
        _stop.Dispose();
    }

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
        _hello = frame.Message as Hello
            ?? throw new TransportLostException($"{_connection.Peer} began with {frame.Type} instead of Hello");
        Capability supported = SourceSession.Supported;
        if (_host.HandOver is null)
        {
            supported &= ~Capability.HandOver;
        }

        if (_hello.Connection != 0)
        {
            throw new TransportLostException("several connections per session were not agreed on");
        }

        await _host.ReplaceAsync(this);
        _connection.LimitBodies(_hello.MaxBody);
        await SendAsync(FrameHeader.NoImage, new Welcome(
            _hello.SessionId,
            _hello.Capabilities & (ulong)supported,
            WireLimits.MaxBody,
            _host.Options.Window,
            Environment.MachineName,
            ProductVersion.Text));
        ReceiverLog.SessionOpened(_host.Logger, SessionId, _hello.Host, _hello.Software);
    }

    private async Task<bool> HandleNextAsync()
    {
        ReceivedFrame frame = await ReceiveAfterLongOperationAsync();
        if (_promised is not null && frame.Message is null or Formats.Wire.Messages.Seal or CloseImage { Discard: true })
        {
            throw new TransportLostException($"{_connection.Peer} sent {frame.Type} after Prepare: what is prepared stays as it is until it is refused");
        }

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
                _targets.Of(frame.Image).Store.Checkpoint();
                await SendAsync(frame.Image, new DurableAck(checkpoint.Number));
                return true;
            case SubHashRequest request:
                await SendAsync(frame.Image, _targets.ApplierOf(frame.Image).SubHashes(request));
                return true;
            case MapRequest request:
                await SendAsync(frame.Image, _baseMaps.Answer(request, request.Subject.IsUnknown ? _targets.Of(frame.Image) : null));
                return true;
            case ListBases request:
                _baseMaps.Remember(request);
                await SendAsync(frame.Image, new Bases(_host.Targets.ListBases(request)));
                return true;
            case CheckResume check:
                HandOver().CheckResume(check.Resume);
                await SendAsync(FrameHeader.NoImage, new ResumeChecked());
                return true;
            case CloseImage close:
                await CloseImageAsync(frame.Image, close.Discard);
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
        await Task.WhenAny(_receive, _longOperation.ContinueWith(
            t => t.IsCompletedSuccessfully ? _receive : t, TaskScheduler.Default).Unwrap());
        if (_longOperation.IsFaulted || _longOperation.IsCanceled)
        {
            await _longOperation;
        }

        ReceivedFrame frame = await _receive;
        await _longOperation;
        return frame;
    }

    private Task StartLong(ushort image, Message message) => message switch
    {
        OpenImage open => Task.Run(() => OpenAsync(image, open)),
        Verify verify => Task.Run(() => VerifyAsync(image, verify)),
        Formats.Wire.Messages.Seal seal => Task.Run(() => SealAsync(image, seal)),
        Prepare prepare => Task.Run(() => PrepareAsync(prepare)),
        Commit commit => Task.Run(() => CommitAsync(commit)),
        Refuse refuse => Task.Run(() => RefuseAsync(refuse)),
        QueryAttempt query => Task.Run(async () =>
            await SendAsync(FrameHeader.NoImage, await HandOver().QueryAsync(query))),
        _ => throw new TransportLostException($"{_connection.Peer} sent {message.GetType().Name}, which a source does not send"),
    };

    private async Task OpenAsync(ushort image, OpenImage request)
    {
        if (_targets.All.ContainsKey(image) || !WireLimits.IsImage(image))
        {
            throw new TransportLostException($"{_connection.Peer} opened image {image} twice, or beyond the limit");
        }

        if (request.Flags.HasFlag(OpenFlags.HandOver))
        {
            HandOver();
        }

        if (BlockGeometry.TryCreate((long)Math.Min(request.Length, long.MaxValue), request.Granularity, out BlockGeometry geometry))
        {
            BlockBudget.Check($"destination {request.Name}", geometry, _targets.BlockCount);
        }

        _host.HandOver?.Guard(request.Name);
        await _host.ClaimAsync(request.Name, this);
        ITarget target;
        try
        {
            target = _host.Targets.Open(
                request, SessionId, _progress.Of(image), () => _host.HandOver?.Guard(request.Name), _stop.Token);
        }
        catch
        {
            _host.Release(request.Name, this);
            throw;
        }

        _targets.Add(image, target);
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
        BatchAck ack = _targets.ApplierOf(frame.Image).Apply(frame.Body);
        await SendAsync(frame.Image, ack);
    }

    private async Task VerifyAsync(ushort image, Verify request)
    {
        ITarget target = _targets.Of(image);
        ReadBackResult result = target.Store.ReadBack(_progress.Of(image, ProgressPhase.ReadingBack), _stop.Token);
        if (result.Wrong.Count > 0)
        {
            ReceiverLog.ReadBackDiffers(_host.Logger, target.Name, result.Wrong.Count);
        }

        ulong[] wrong = [.. result.Wrong.Take(WireLimits.MaxWrongBlocks).Select(b => (ulong)b)];
        await SendAsync(image, new Verified(
            request.Number, target.Store.Root(), (ulong)result.BytesRead, wrong, result.Wrong.Count > wrong.Length));
    }

    private async Task SealAsync(ushort image, Formats.Wire.Messages.Seal request)
    {
        ITarget target = _targets.Of(image);
        if (target.Store.UnreadBlocks > 0)
        {
            throw new TransportLostException(
                $"{_connection.Peer} asked to seal {target.Name} though {target.Store.UnreadBlocks} blocks of it were not read back; it was not sealed");
        }

        // Meanwhile the name may have become that of a disk which this host owns.
        _host.HandOver?.Guard(target.Name);
        string path = target.Finish(new SealRequest(request.Epoch, request.Root, Guid.Empty));
        ReceiverLog.TargetSealed(_host.Logger, target.Name, path, request.Epoch, request.Root.ToString());
        _targets.Forget(image);
        await SendAsync(image, new Sealed(path));
    }

    private async Task PrepareAsync(Prepare request)
    {
        Message answer = await HandOver().PrepareAsync(request, _targets.All, PeerHost);
        _promised = answer is Prepared ? request.Attempt : _promised;
        await SendAsync(FrameHeader.NoImage, answer);
    }

    private async Task RefuseAsync(Refuse request)
    {
        Message answer = await HandOver().RefuseAsync(request);
        _promised = answer is Refused && _promised == request.Attempt ? null : _promised;
        await SendAsync(FrameHeader.NoImage, answer);
    }

    private async Task CommitAsync(Commit request)
    {
        await HandOver().CommitAsync(request, _targets.All, async message =>
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
        ITarget target = _targets.Of(image);
        if (discard)
        {
            target.Discard();
        }
        else
        {
            target.Store.Checkpoint();
        }

        ulong durable = discard ? 0 : (ulong)target.Store.Map.KnownCount;
        _targets.Forget(image);
        await SendAsync(image, new ImageClosed(durable));
    }

    private async Task CloseAsync()
    {
        await _stop.CancelAsync();
        _connection.Break("the session has ended");
        foreach (Task pending in new[] { _longOperation, _receive ?? Task.CompletedTask })
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

        _targets.Close();
        _drained.TrySetResult();
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
