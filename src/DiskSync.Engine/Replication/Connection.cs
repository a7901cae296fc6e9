using System.Buffers;
using System.IO.Pipelines;
using DiskSync.Engine.Transports;
using DiskSync.Formats;
using DiskSync.Formats.Wire;
using DiskSync.Formats.Wire.Messages;
using WireProgress = DiskSync.Formats.Wire.Messages.Progress;

namespace DiskSync.Engine.Replication;

/// <summary>One connection that speaks frames: preamble, keep-alive, time limits and one kind of error for each cause.</summary>
/// <remarks>
/// Any number of threads may send (a lock keeps frames whole); one at a time may receive. Errors: a broken, silent or
/// foreign peer is <see cref="TransportLostException"/>, a peer that gave up is <see cref="PeerAbortedException"/>.
/// Owns its transport. PROTOCOL.md, "Frames" and "Keep-alive".
/// </remarks>
public sealed class Connection : IAsyncDisposable
{
    private const int MostUnheard = 128 << 10;

    private static readonly TimeSpan FramePatience = TimeSpan.FromSeconds(2);
    private readonly ITransport _transport;
    private readonly ConnectionOptions _options;
    private readonly FrameReader _frames = new();
    private readonly FrameWriter _writer = new();
    private readonly ArrayBufferWriter<byte> _control = new();
    private readonly SemaphoreSlim _sendLock = new(1, 1);
    private readonly SemaphoreSlim _blocksTurn = new(1, 1);
    private readonly Timer _watchdog;
    private readonly TaskCompletionSource _broken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ReadOnlySequence<byte> _buffer;
    private SequencePosition _consumed;
    private bool _holdsBuffer;
    // When the pending read began; MaxValue while this side is busy and so could not have heard anything.
    private long _listeningSince = Environment.TickCount64;
    private long _lastSent = Environment.TickCount64;

    // When the pending write began; MaxValue while none is.
    private long _writingSince = long.MaxValue;
    private long _bytesSent;
    private long _bytesReceived;
    private long _framesReceived;
    private volatile string? _brokenBecause;
    private volatile bool _open;

    // Nothing is sent but what a session sends by itself; and then nothing at all.
    private volatile bool _isHushed;
    private volatile bool _isDetached;

    /// <summary>Wraps a transport, which it owns from now on.</summary>
    public Connection(ITransport transport, ConnectionOptions options)
    {
        _transport = transport;
        _options = options;
        TimeSpan tick = options.PingInterval / 4;
        _watchdog = new Timer(_ => Watch(), null, tick, tick);
    }

    /// <summary>What it was made with.</summary>
    public ConnectionOptions Options => _options;

    /// <summary>The peer, for messages.</summary>
    public string Peer => _transport.Peer;

    /// <summary>Who the peer has proven to be; empty where the transport does not ask.</summary>
    public string PeerIdentity => _transport.PeerIdentity;

    /// <summary>Bytes handed to the transport, frames and preamble.</summary>
    public long BytesSent => Interlocked.Read(ref _bytesSent);

    /// <summary>Bytes that have reached the peer's host; null where only what the peer answers tells.</summary>
    public long? BytesDelivered => _transport.BytesDelivered;

    /// <summary>Bytes taken from the transport.</summary>
    public long BytesReceived => Interlocked.Read(ref _bytesReceived);

    /// <summary>Frames received so far.</summary>
    public long FramesReceived => Interlocked.Read(ref _framesReceived);

    /// <summary>Frames sent so far.</summary>
    public long FramesSent => (long)_writer.FramesWritten;

    /// <summary>Called with each Progress frame of the peer, from the receiving thread.</summary>
    public Action<ushort, WireProgress>? OnProgress { get; set; }

    /// <summary>Sends no larger frames than the peer accepts; call it once the peer has said so.</summary>
    /// <param name="maxBody">The peer's limit, from its Hello or Welcome.</param>
    public void LimitBodies(uint maxBody) =>
        _writer.MaxBody = (int)Math.Clamp(maxBody, WireLimits.MinMaxBody, WireLimits.MaxBody);

    /// <summary>Exchanges preambles.</summary>
    /// <param name="greeting">Sent right behind the preamble, so that it does not wait for a round trip; null for nothing.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TransportLostException">The peer does not speak this protocol, or says nothing.</exception>
    public async Task OpenAsync(Message? greeting, CancellationToken cancellationToken)
    {
        await GuardAsync(async () =>
        {
            Preamble.Write(_transport.Output);
            if (greeting is not null)
            {
                _writer.Write(_transport.Output, FrameHeader.NoImage, greeting);
            }

            try
            {
                await FlushAsync(cancellationToken);
            }
            catch (IOException) when (_brokenBecause is null)
            {
                // It has closed already; what it said before that tells more than a broken pipe.
            }

            while (true)
            {
                ReadResult result = await ReadAsync(1, cancellationToken);
                ReadOnlySequence<byte> buffer = result.Buffer;
                bool complete = Preamble.TryRead(ref buffer, out _);
                _transport.Input.AdvanceTo(buffer.Start, complete ? buffer.Start : result.Buffer.End);
                if (complete)
                {
                    Interlocked.Add(ref _bytesReceived, Preamble.Size);
                    _open = true;
                    return;
                }

                if (result.IsCompleted)
                {
                    throw new EndOfStreamException("the peer closed before it said which protocol it speaks");
                }
            }
        });
    }

    /// <summary>Sends no Ping any more, and answers none: before the peer is asked to let another protocol have the connection, or asks for it.</summary>
    public async Task HushAsync(CancellationToken cancellationToken)
    {
        // Who is sending one now is waited for.
        await _sendLock.WaitAsync(cancellationToken);
        _isHushed = true;
        _sendLock.Release();
    }

    /// <summary>Lets another protocol have the connection, from the byte behind the last frame that was received; no frame is sent or received any more.</summary>
    /// <returns>The bytes both ways. The connection stays the owner of the transport; disposing the stream breaks it.</returns>
    public TransportStream Detach()
    {
        _isDetached = true;
        if (_holdsBuffer)
        {
            _transport.Input.AdvanceTo(_consumed);
            _holdsBuffer = false;
        }

        return new TransportStream(_transport);
    }

    /// <summary>Sends a control message.</summary>
    public async ValueTask SendAsync(ushort image, Message message, CancellationToken cancellationToken)
    {
        await _sendLock.WaitAsync(cancellationToken);
        try
        {
            if (_isDetached || (_isHushed && message is Ping or Pong))
            {
                return;
            }

            await GuardAsync(async () =>
            {
                if (_options.Limiter is { Rate: > 0 })
                {
                    _control.ResetWrittenCount();
                    _writer.Write(_control, image, message);
                    await WriteFrameAsync(_control.WrittenMemory, cancellationToken);
                    return;
                }

                _writer.Write(_transport.Output, image, message);
                await FlushAsync(cancellationToken);
            });
        }
        finally
        {
            _sendLock.Release();
        }
    }

    /// <summary>Sends a batch of blocks.</summary>
    /// <returns>The frame's length in bytes.</returns>
    public async ValueTask<int> SendBlocksAsync(ushort image, BlocksWriter batch, CancellationToken cancellationToken)
    {
        // One batch at a time stands before the lock: under a limit each takes its time, and a ping or its answer must not
        // wait for all of them.
        await _blocksTurn.WaitAsync(cancellationToken);
        try
        {
            await _sendLock.WaitAsync(cancellationToken);
            try
            {
                int length = 0;
                await GuardAsync(async () =>
                {
                    // Straight from the batch's buffer: the frame is contiguous there.
                    ReadOnlyMemory<byte> frame = _writer.FinishBlocks(image, batch);
                    length = frame.Length;
                    await WriteFrameAsync(frame, cancellationToken);
                });
                return length;
            }
            finally
            {
                _sendLock.Release();
            }
        }
        finally
        {
            _blocksTurn.Release();
        }
    }

    /// <summary>Receives the next frame that a session has to handle; pings and progress are dealt with here.</summary>
    /// <remarks>The body of the frame before becomes invalid.</remarks>
    /// <exception cref="PeerAbortedException">The peer gave up.</exception>
    /// <exception cref="TransportLostException">The connection ended, without an End frame before it, or is broken.</exception>
    public async ValueTask<ReceivedFrame> ReceiveAsync(CancellationToken cancellationToken)
    {
        ReceivedFrame received = default;
        await GuardAsync(async () =>
        {
            while (true)
            {
                Frame frame = await ReadFrameAsync(cancellationToken);
                if (frame.Type == FrameType.Blocks)
                {
                    received = new ReceivedFrame(frame.Type, frame.Image, null, frame.Body);
                    return;
                }

                Message message = MessageCodec.Decode(frame.Type, frame.Body);
                switch (message)
                {
                    case Ping ping:
                        await SendAsync(FrameHeader.NoImage, new Pong(ping.Token), cancellationToken);
                        continue;
                    case Pong:
                        continue;
                    case WireProgress progress:
                        OnProgress?.Invoke(frame.Image, progress);
                        continue;
                    case Abort abort:
                        throw new PeerAbortedException(abort);
                    default:
                        received = new ReceivedFrame(frame.Type, frame.Image, message, default);
                        return;
                }
            }
        });
        return received;
    }

    /// <summary>Tells the peer why this side gives up; best effort, bounded in time.</summary>
    public async Task SendAbortAsync(Abort abort)
    {
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(5));
        try
        {
            await SendAsync(FrameHeader.NoImage, abort, patience.Token);
        }
        catch (Exception exception) when (exception is DiskSyncException or OperationCanceledException or ObjectDisposedException)
        {
            // The connection is gone; the peer learns it from that.
        }
    }

    /// <summary>Breaks the connection; a pending receive fails with the given reason.</summary>
    public void Break(string reason)
    {
        _brokenBecause ??= reason;
        _transport.Abort();
        _broken.TrySetResult();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _watchdog.DisposeAsync();
        await _transport.DisposeAsync();
        _sendLock.Dispose();
        _blocksTurn.Dispose();
    }

    private async ValueTask<Frame> ReadFrameAsync(CancellationToken cancellationToken)
    {
        if (_holdsBuffer)
        {
            // The frame handed out last is done with; what follows it may already be here.
            _transport.Input.AdvanceTo(_consumed);
            _holdsBuffer = false;
        }

        int wanted = 1;
        while (true)
        {
            ReadResult result = await ReadAsync(wanted, cancellationToken);
            _buffer = result.Buffer;
            ReadOnlySequence<byte> rest = _buffer;
            if (_frames.TryRead(ref rest, out Frame frame))
            {
                Interlocked.Increment(ref _framesReceived);
                Interlocked.Add(ref _bytesReceived, _buffer.Length - rest.Length);
                _consumed = rest.Start;
                _holdsBuffer = true;
                return frame;
            }

            // The rest of the frame at once, because TLS brings no more than 16 KiB at a time; but not more than what even a
            // slow link brings before the watchdog takes it for silent.
            wanted = _transport.CanWaitForMany ? (int)Math.Min(_frames.Needed, _buffer.Length + MostUnheard) : 1;
            _transport.Input.AdvanceTo(_buffer.Start, _buffer.End);
            if (result.IsCompleted)
            {
                throw new EndOfStreamException(
                    _buffer.IsEmpty ? "the peer closed the connection" : "the peer closed the connection in the middle of a frame");
            }
        }
    }

    private async ValueTask<ReadResult> ReadAsync(int wanted, CancellationToken cancellationToken)
    {
        Volatile.Write(ref _listeningSince, Environment.TickCount64);
        ReadResult result = await OrBrokenAsync(_transport.Input.ReadAtLeastAsync(wanted, cancellationToken), cancellationToken);
        Volatile.Write(ref _listeningSince, long.MaxValue);
        if (result.IsCanceled)
        {
            throw new IOException("the connection was aborted");
        }

        return result;
    }

    private ValueTask WriteFrameAsync(ReadOnlyMemory<byte> frame, CancellationToken cancellationToken)
    {
        return _options.Limiter is { } limiter ? PacedWriter.WriteAsync(limiter, frame, Write, cancellationToken) : Write(frame);

        ValueTask Write(ReadOnlyMemory<byte> piece)
        {
            Interlocked.Add(ref _bytesSent, piece.Length);
            return WriteOutAsync(_transport.Output.WriteAsync(piece, CancellationToken.None), cancellationToken);
        }
    }

    private async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        Interlocked.Add(ref _bytesSent, _transport.Output.UnflushedBytes);
        await WriteOutAsync(_transport.Output.FlushAsync(CancellationToken.None), cancellationToken);
    }

    private async ValueTask WriteOutAsync(ValueTask<FlushResult> write, CancellationToken cancellationToken)
    {
        Volatile.Write(ref _writingSince, Environment.TickCount64);
        try
        {
            if (write.IsCompleted)
            {
                CheckFlush(await write);
                return;
            }

            Task<FlushResult> pending = write.AsTask();
            Task ended = Task.WhenAny(pending, _broken.Task);
            try
            {
                await ended.WaitAsync(cancellationToken);
            }
            catch (OperationCanceledException)
            {
                await FinishFrameAsync(ended);
            }

            CheckFlush(pending.IsCompleted ? await pending : throw new IOException(_brokenBecause));
        }
        finally
        {
            Volatile.Write(ref _writingSince, long.MaxValue);
        }
    }

    // Half a frame may be out, and whatever followed it would not be understood. A peer that takes the rest can still be
    // told why this side stops; for one that does not, there is no waiting.
    private async Task FinishFrameAsync(Task written)
    {
        try
        {
            await written.WaitAsync(FramePatience);
        }
        catch (TimeoutException late)
        {
            Break("it was stopped in the middle of a frame");
            throw new OperationCanceledException("stopped in the middle of a frame", late);
        }
    }

    // A read of a console or a pipe cannot be interrupted, whatever is closed: it is left behind then.
    private async ValueTask<T> OrBrokenAsync<T>(ValueTask<T> operation, CancellationToken cancellationToken)
    {
        if (operation.IsCompleted)
        {
            return await operation;
        }

        Task<T> pending = operation.AsTask();
        await Task.WhenAny(pending, _broken.Task).WaitAsync(cancellationToken);
        return pending.IsCompleted ? await pending : throw new IOException(_brokenBecause);
    }

    private void CheckFlush(FlushResult result)
    {
        Volatile.Write(ref _lastSent, Environment.TickCount64);
        if (result.IsCanceled || result.IsCompleted)
        {
            throw new IOException("the peer closed the connection");
        }
    }

    private async ValueTask GuardAsync(Func<ValueTask> action)
    {
        try
        {
            await action();
        }
        catch (FormatViolationException exception)
        {
            await SendAbortBestEffortAsync(exception);
            throw new TransportLostException(
                $"{Peer} broke the protocol: {exception.Message}",
                "Check that both sides run DiskSync, of versions that know each other (disksync --version).",
                exception);
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or InvalidOperationException)
        {
            string reason = _brokenBecause ?? exception.Message;
            string diagnosis = _brokenBecause is null ? await _transport.DiagnoseAsync() : string.Empty;
            throw new TransportLostException(
                $"connection to {Peer} lost: {reason}" + (diagnosis.Length > 0 ? $" ({diagnosis})" : string.Empty),
                _open
                    ? "Run the same command again: it goes on from what is durable at the destination."
                    : "Nothing was sent. Check that the other side can be reached and that disksync runs there, then run the same command again.",
                exception);
        }
    }

    private async Task SendAbortBestEffortAsync(FormatViolationException exception)
    {
        if (_open && _sendLock.CurrentCount > 0)
        {
            await SendAbortAsync(new Abort(AbortCode.Protocol, false, string.Empty, -1, exception.Message, string.Empty));
        }
    }

    private void Watch()
    {
        if (_isDetached)
        {
            return;
        }

        long now = Environment.TickCount64;
        TimeSpan limit = _open ? _options.SilenceLimit : _options.HandshakeTimeout ?? _transport.HandshakeTimeout;
        if (now - Volatile.Read(ref _listeningSince) > limit.TotalMilliseconds)
        {
            Break($"nothing was heard for {limit.TotalSeconds:0.#} s");
            return;
        }

        // Only where nothing is read meanwhile: else a busy peer would be taken for a dead one.
        if (Volatile.Read(ref _listeningSince) == long.MaxValue && now - Volatile.Read(ref _writingSince) > limit.TotalMilliseconds)
        {
            Break($"nothing was taken for {limit.TotalSeconds:0.#} s");
            return;
        }

        if (_open && !_isHushed && now - Volatile.Read(ref _lastSent) > _options.PingInterval.TotalMilliseconds)
        {
            Volatile.Write(ref _lastSent, now);
            _ = PingAsync();
        }
    }

    private async Task PingAsync()
    {
        try
        {
            await SendAsync(FrameHeader.NoImage, new Ping((ulong)Environment.TickCount64), CancellationToken.None);
        }
        catch (Exception exception) when (exception is DiskSyncException or ObjectDisposedException)
        {
            // Whoever receives on this connection reports the loss.
        }
    }
}
