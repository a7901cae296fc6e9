using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using DiskSync.Engine.Transports;
using DiskSync.Formats.Wire;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Engine.Replication;

/// <summary>One connection of a session at the source: requests matched with their answers, batches with their acks.</summary>
/// <remarks>
/// Thread safe. Answers of one kind for one image come in the order of the requests (PROTOCOL.md), so a queue for
/// each kind is enough to match them. Once the connection has failed, every pending and later request fails with the
/// same exception. Owns its connection.
/// </remarks>
internal sealed class SourceLane : IAsyncDisposable
{
    private static readonly TimeSpan ReasonPatience = TimeSpan.FromSeconds(2);
    private readonly Connection _connection;
    private readonly ConcurrentDictionary<(Type Reply, ushort Image), ConcurrentQueue<TaskCompletionSource<Message>>> _pending = new();
    private readonly ConcurrentDictionary<ulong, TaskCompletionSource<BatchAck>> _batches = new();
    private readonly SemaphoreSlim _requestLock = new(1, 1);
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource<DiskSyncException> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _pump = Task.CompletedTask;
    private DiskSyncException? _failure;
    private long? _delivered;
    private bool _disposed;

    private SourceLane(Connection connection, ushort number, Welcome welcome, TimeSpan roundTrip)
    {
        _connection = connection;
        Number = number;
        Welcome = welcome;
        RoundTrip = roundTrip;
        Load = new LaneLoad();
    }

    /// <summary>The connection's number in its session.</summary>
    public ushort Number { get; }

    /// <summary>The destination's answer to this connection's greeting.</summary>
    public Welcome Welcome { get; }

    /// <summary>The least time that the destination has taken to answer anything; until something was asked, the greeting, and who carries it may have started only then (ssh).</summary>
    public TimeSpan RoundTrip { get; private set; }

    /// <summary>What is on its way, and how fast it gets there.</summary>
    public LaneLoad Load { get; }

    public string Peer => _connection.Peer;

    public long BytesSent => _connection.BytesSent;

    /// <summary>Bytes that have reached the destination's host; null where only its acks tell.</summary>
    /// <remarks>Once the connection has ended, what was known last: what was sent besides may never have got there.</remarks>
    public long? BytesDelivered => _delivered = _connection.BytesDelivered ?? _delivered;

    public long BytesReceived => _connection.BytesReceived;

    /// <summary>Completes with the reason when the connection has failed; never otherwise.</summary>
    public Task<DiskSyncException> Failed => _failed.Task;

    /// <summary>Whether it has failed or was closed.</summary>
    public bool HasFailed => Volatile.Read(ref _failure) is not null;

    /// <summary>Handshakes over a transport.</summary>
    /// <param name="transport">Owned from now on, also when the handshake fails.</param>
    /// <param name="hello">The greeting, which names session and connection.</param>
    /// <param name="options">Time limits.</param>
    /// <param name="onProgress">Called with the destination's progress, from the receiving thread.</param>
    /// <param name="cancellationToken">Ends the handshake.</param>
    public static async Task<SourceLane> OpenAsync(
        ITransport transport,
        Hello hello,
        ConnectionOptions options,
        Action<ushort, Formats.Wire.Messages.Progress>? onProgress,
        CancellationToken cancellationToken)
    {
        Connection connection = new(transport, options) { OnProgress = onProgress };
        try
        {
            long start = Stopwatch.GetTimestamp();
            await connection.OpenAsync(hello, cancellationToken);
            ReceivedFrame answer = await connection.ReceiveAsync(cancellationToken);
            if (answer.Message is not Welcome welcome || welcome.SessionId != hello.SessionId)
            {
                throw new TransportLostException($"{connection.Peer} answered the greeting with {answer.Type}");
            }

            connection.LimitBodies(welcome.MaxBody);
            SourceLane lane = new(connection, hello.Connection, welcome, Stopwatch.GetElapsedTime(start));
            lane._pump = Task.Run(lane.PumpAsync, CancellationToken.None);
            return lane;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Sends a request and waits for one of its possible answers.</summary>
    /// <remarks>At most one request with several possible answers may be pending for an image.</remarks>
    /// <exception cref="DiskSyncException">The connection failed, or the destination gave up.</exception>
    public async Task<Message> RequestAsync(
        ushort image, Message request, IReadOnlyList<Type> replies, CancellationToken cancellationToken)
    {
        Task<Message> answer;
        long start = Stopwatch.GetTimestamp();

        // Queue and wire must have the same order, so both happen under one lock.
        await _requestLock.WaitAsync(cancellationToken);
        try
        {
            answer = Expect(image, replies);
            await SendOrReasonAsync(async () =>
            {
                await _connection.SendAsync(image, request, cancellationToken);
                return 0;
            });
        }
        finally
        {
            _requestLock.Release();
        }

        Message message = await answer.WaitAsync(cancellationToken);
        TimeSpan taken = Stopwatch.GetElapsedTime(start);
        RoundTrip = taken < RoundTrip ? taken : RoundTrip;
        return message;
    }

    /// <summary>Waits for a message that the destination sends without being asked.</summary>
    public Task<Message> Expect(ushort image, IReadOnlyList<Type> replies)
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

    /// <summary>Sends a batch and waits for its ack.</summary>
    /// <returns>The ack, and the frame's length in bytes.</returns>
    public async Task<(BatchAck Ack, int WireBytes)> SendBatchAsync(
        ushort image, BlocksWriter batch, ulong number, CancellationToken cancellationToken)
    {
        TaskCompletionSource<BatchAck> acked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _batches[number] = acked;
        if (Volatile.Read(ref _failure) is { } failure)
        {
            throw failure;
        }

        int length = await SendOrReasonAsync(() => _connection.SendBlocksAsync(image, batch, cancellationToken));
        long sent = Stopwatch.GetTimestamp();
        BatchAck ack = await acked.Task.WaitAsync(cancellationToken);
        _connection.Options.AckDelays?.Note(Stopwatch.GetElapsedTime(sent));
        return (ack, length);
    }

    /// <summary>Tells the destination why this side gives up; best effort.</summary>
    public Task AbortAsync(Abort abort) => _connection.SendAbortAsync(abort);

    /// <summary>Breaks the connection: everything pending on it fails.</summary>
    public void Break(string reason) => _connection.Break(reason);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        await _stop.CancelAsync();
        _connection.Break("closed");
        await _pump;
        await _connection.DisposeAsync();
        _stop.Dispose();
        _requestLock.Dispose();
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
                    if (!_batches.TryRemove(ack.Batch, out TaskCompletionSource<BatchAck>? batch))
                    {
                        throw new TransportLostException($"{Peer} acknowledged batch {ack.Batch}, which is not on its way");
                    }

                    batch.TrySetResult(ack);
                    continue;
                }

                if (frame.Message is null || !TryTakePending(frame, out TaskCompletionSource<Message>? waiting))
                {
                    throw new TransportLostException($"{Peer} sent {frame.Type} for image {frame.Image}, which nobody asked for");
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

    private bool TryTakePending(ReceivedFrame frame, [NotNullWhen(true)] out TaskCompletionSource<Message>? waiting)
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

        foreach (ulong number in _batches.Keys)
        {
            if (_batches.TryRemove(number, out TaskCompletionSource<BatchAck>? batch))
            {
                batch.TrySetException(exception);
                _ = batch.Task.Exception;
            }
        }

        _failed.TrySetResult(exception);
    }

    // A write fails when the destination has closed; its Abort, which says why, may still be on its way to us.
    private async ValueTask<T> SendOrReasonAsync<T>(Func<ValueTask<T>> send)
    {
        try
        {
            return await send();
        }
        catch (TransportLostException)
        {
            await Task.WhenAny(_pump, Task.Delay(ReasonPatience));
            if (Volatile.Read(ref _failure) is PeerAbortedException aborted)
            {
                throw aborted;
            }

            throw;
        }
    }
}
