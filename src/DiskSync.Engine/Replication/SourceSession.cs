using System.Collections.Concurrent;
using DiskSync.Engine.Transports;
using DiskSync.Formats.Wire;
using DiskSync.Formats.Wire.Messages;
using WireProgress = DiskSync.Formats.Wire.Messages.Progress;

namespace DiskSync.Engine.Replication;

/// <summary>The source's end of a session: handshake, requests matched with their answers, acks to their image.</summary>
/// <remarks>
/// Thread safe. Answers of one kind for one image come in the order of the requests (PROTOCOL.md), so a queue for
/// each kind is enough to match them. Once the connection has failed, every pending and later request fails with the
/// same exception. Owns its connection.
/// </remarks>
public sealed class SourceSession : IAsyncDisposable
{
    /// <summary>What this version can do.</summary>
    public const Capability Supported = Capability.Lz4 | Capability.Patch | Capability.Copy | Capability.HandOver;

    private readonly Connection _connection;
    private readonly ConcurrentDictionary<(Type Reply, ushort Image), ConcurrentQueue<TaskCompletionSource<Message>>> _pending = new();
    private readonly ConcurrentDictionary<ushort, Action<BatchAck>> _ackListeners = new();
    private readonly SemaphoreSlim _requestLock = new(1, 1);
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _pump = Task.CompletedTask;
    private Exception? _failure;

    private SourceSession(Connection connection, Welcome welcome)
    {
        _connection = connection;
        Welcome = welcome;
    }

    /// <summary>The destination's answer to the handshake.</summary>
    public Welcome Welcome { get; }

    /// <summary>What both sides can do.</summary>
    public Capability Capabilities => (Capability)Welcome.Capabilities;

    /// <summary>Bytes sent to the destination, everything included.</summary>
    public long BytesSent => _connection.BytesSent;

    /// <summary>Bytes received from the destination, everything included.</summary>
    public long BytesReceived => _connection.BytesReceived;

    /// <summary>The destination, for messages.</summary>
    public string Peer => _connection.Peer;

    /// <summary>Fails when the connection fails; never completes otherwise.</summary>
    public Task Failed => _failed.Task;

    /// <summary>Handshakes over a transport.</summary>
    /// <param name="transport">Owned from now on, also when the handshake fails.</param>
    /// <param name="sessionId">Names the session; a reconnect carries the same id.</param>
    /// <param name="options">Time limits.</param>
    /// <param name="onProgress">Called with the destination's progress, from the receiving thread.</param>
    /// <param name="cancellationToken">Ends the handshake.</param>
    public static async Task<SourceSession> ConnectAsync(
        ITransport transport,
        Guid sessionId,
        ConnectionOptions options,
        Action<ushort, WireProgress>? onProgress,
        CancellationToken cancellationToken)
    {
        Connection connection = new(transport, options) { OnProgress = onProgress };
        try
        {
            await connection.OpenAsync(cancellationToken);
            await connection.SendAsync(
                FrameHeader.NoImage,
                new Hello(sessionId, 0, (ulong)Supported, WireLimits.MaxBody, Environment.MachineName, ProductVersion.Text),
                cancellationToken);
            ReceivedFrame answer = await connection.ReceiveAsync(cancellationToken);
            if (answer.Message is not Welcome welcome || welcome.SessionId != sessionId)
            {
                throw new TransportLostException($"{connection.Peer} answered the greeting with {answer.Type}");
            }

            connection.LimitBodies(welcome.MaxBody);
            SourceSession session = new(connection, welcome);
            session._pump = Task.Run(session.PumpAsync, CancellationToken.None);
            return session;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Sends a request and waits for its answer.</summary>
    /// <typeparam name="TReply">The kind of the answer.</typeparam>
    /// <exception cref="DiskSyncException">The connection failed, or the destination gave up.</exception>
    public async Task<TReply> RequestAsync<TReply>(ushort image, Message request, CancellationToken cancellationToken)
        where TReply : Message =>
        (TReply)await RequestAsync(image, request, [typeof(TReply)], cancellationToken);

    /// <summary>Sends a request that has several possible answers and waits for one of them.</summary>
    /// <remarks>At most one such request with the same kinds may be pending for an image.</remarks>
    public async Task<Message> RequestAsync(
        ushort image, Message request, IReadOnlyList<Type> replies, CancellationToken cancellationToken)
    {
        Task<Message> answer = await StartRequestAsync(image, request, replies, cancellationToken);
        return await answer.WaitAsync(cancellationToken);
    }

    /// <summary>Waits for a message that the destination sends without being asked (Running after Owner).</summary>
    public Task<Message> Expect<TReply>(ushort image)
        where TReply : Message => Register(image, [typeof(TReply)]);

    /// <summary>Sends a batch of blocks; its ack goes to the image's listener.</summary>
    /// <returns>The frame's length in bytes.</returns>
    public async ValueTask<int> SendBlocksAsync(ushort image, BlocksWriter batch, CancellationToken cancellationToken)
    {
        ThrowIfFailed();
        try
        {
            return await _connection.SendBlocksAsync(image, batch, cancellationToken);
        }
        catch (TransportLostException)
        {
            await PreferPeersReasonAsync();
            throw;
        }
    }

    /// <summary>Names who hears of an image's acks; called from the receiving thread, so it must be quick.</summary>
    public void ListenForAcks(ushort image, Action<BatchAck> listener) => _ackListeners[image] = listener;

    /// <summary>Ends the session: nothing was left undone (safety rule 5).</summary>
    public async Task EndAsync(CancellationToken cancellationToken) =>
        await RequestAsync<EndAck>(FrameHeader.NoImage, new End(0), cancellationToken);

    /// <summary>Tells the destination why this side gives up, where it does not know it already; best effort.</summary>
    /// <param name="failure">What ended the work on this side.</param>
    public Task TellPeerAsync(Exception failure) => failure switch
    {
        TransportLostException or PeerAbortedException => Task.CompletedTask,
        DiskSyncException known => AbortAsync(known.Kind, known.Message, known.Advice),
        OperationCanceledException => AbortAsync(
            FailureKind.Interrupted, "the source was stopped by its user", "What is durable is kept for the next run."),
        _ => AbortAsync(FailureKind.Source, $"bug in the source: {failure.Message}", string.Empty),
    };

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _connection.Break("closed");
        await _pump;
        await _connection.DisposeAsync();
        _stop.Dispose();
        _requestLock.Dispose();
    }

    private Task AbortAsync(FailureKind kind, string message, string advice) => _connection.SendAbortAsync(
        new Abort(PeerAbortedException.CodeOf(kind), false, string.Empty, -1, message, advice));

    private async Task<Task<Message>> StartRequestAsync(
        ushort image, Message request, IReadOnlyList<Type> replies, CancellationToken cancellationToken)
    {
        // Queue and wire must have the same order, so both happen under one lock.
        await _requestLock.WaitAsync(cancellationToken);
        try
        {
            Task<Message> answer = Register(image, replies);
            try
            {
                await _connection.SendAsync(image, request, cancellationToken);
            }
            catch (TransportLostException)
            {
                await PreferPeersReasonAsync();
                throw;
            }

            return answer;
        }
        finally
        {
            _requestLock.Release();
        }
    }

    private Task<Message> Register(ushort image, IReadOnlyList<Type> replies)
    {
        TaskCompletionSource<Message> source = new(TaskCreationOptions.RunContinuationsAsynchronously);
        foreach (Type reply in replies)
        {
            _pending.GetOrAdd((reply, image), _ => new()).Enqueue(source);
        }

        // The pump may have failed before it could see this entry.
        if (Volatile.Read(ref _failure) is { } failure)
        {
            source.TrySetException(failure);
        }

        return source.Task;
    }

    private async Task PumpAsync()
    {
        try
        {
            while (true)
            {
                ReceivedFrame frame = await _connection.ReceiveAsync(_stop.Token);
                if (frame.Message is BatchAck ack)
                {
                    if (!_ackListeners.TryGetValue(frame.Image, out Action<BatchAck>? listener))
                    {
                        throw Unexpected(frame);
                    }

                    listener(ack);
                    continue;
                }

                if (frame.Message is null || !TryTakePending(frame, out TaskCompletionSource<Message>? waiting))
                {
                    throw Unexpected(frame);
                }

                waiting.TrySetResult(frame.Message);
                if (frame.Message is EndAck)
                {
                    return;
                }
            }
        }
        catch (OperationCanceledException)
        {
            Fail(new TransportLostException("the session was closed"));
        }
        catch (DiskSyncException exception)
        {
            Fail(exception);
        }
        catch (Exception exception)
        {
            // A bug must not leave everybody waiting for answers that nobody takes in any more.
            Fail(new TransportLostException($"the session with {Peer} failed: {exception.Message}", "Please report this.", exception));
            throw;
        }
    }

    private bool TryTakePending(ReceivedFrame frame, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out TaskCompletionSource<Message>? waiting)
    {
        waiting = null;
        if (!_pending.TryGetValue((frame.Message!.GetType(), frame.Image), out var queue))
        {
            return false;
        }

        // Entries that another kind of answer has completed already are left-overs.
        while (queue.TryDequeue(out waiting))
        {
            if (!waiting.Task.IsCompleted)
            {
                return true;
            }
        }

        return false;
    }

    private TransportLostException Unexpected(ReceivedFrame frame) =>
        new($"{Peer} sent {frame.Type} for image {frame.Image}, which nobody asked for");

    private void Fail(DiskSyncException exception)
    {
        Volatile.Write(ref _failure, exception);
        foreach (ConcurrentQueue<TaskCompletionSource<Message>> queue in _pending.Values)
        {
            while (queue.TryDequeue(out TaskCompletionSource<Message>? waiting))
            {
                waiting.TrySetException(exception);
            }
        }

        _failed.TrySetException(exception);
        _ = _failed.Task.Exception;
    }

    private void ThrowIfFailed()
    {
        if (Volatile.Read(ref _failure) is { } failure)
        {
            throw failure;
        }
    }

    // A write fails when the destination has closed; its Abort, which says why, may still be on its way to us.
    private async Task PreferPeersReasonAsync()
    {
        await Task.WhenAny(_pump, Task.Delay(TimeSpan.FromSeconds(2)));
        if (Volatile.Read(ref _failure) is PeerAbortedException aborted)
        {
            throw aborted;
        }
    }
}
