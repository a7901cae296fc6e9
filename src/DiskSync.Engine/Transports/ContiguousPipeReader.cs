using System.Buffers;
using System.IO.Pipelines;

namespace DiskSync.Engine.Transports;

/// <summary>Reads a stream into one piece of memory, so that a frame's payload is written to the image from where it arrived.</summary>
/// <remarks>
/// <para>The framework's reader has a list of buffers, and a frame that spans several must be copied together: a copy of
/// everything. Here what has arrived is always one span. Its place is as large as the largest frame that the consumer
/// waited for, so the consumer bounds it; what is moved to make room is at most one read.</para>
/// <para>One thread at a time may read; <see cref="CancelPendingRead"/> may come from any. Does not own the stream.
/// Errors are the stream's own.</para>
/// </remarks>
public sealed class ContiguousPipeReader : PipeReader
{
    // One system call should be able to take a good part of a batch; more would only have to be moved.
    private const int ReadSize = 256 << 10;

    private readonly Stream _stream;
    private readonly Lock _lock = new();
    private byte[] _buffer = GC.AllocateUninitializedArray<byte>(ReadSize);
    private ReadOnlySequence<byte> _handedOut;
    private int _start;
    private int _examined;
    private int _end;
    private bool _ended;
    private bool _isCanceled;
    private CancellationTokenSource? _pending;

    /// <summary>Wraps a stream.</summary>
    /// <param name="stream">Bytes from the peer; not owned.</param>
    public ContiguousPipeReader(Stream stream) => _stream = stream;

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        int first = _start;
        _start = first + (int)_handedOut.Slice(_handedOut.Start, consumed).Length;
        _examined = first + (int)_handedOut.Slice(_handedOut.Start, examined).Length;
        if (_start == _end)
        {
            _start = _examined = _end = 0;
        }

        _handedOut = default;
    }

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result)
    {
        bool isCanceled = TakeCancellation();
        bool isSomething = isCanceled || IsEnough(1);
        result = isSomething ? HandOut(isCanceled) : default;
        return isSomething;
    }

    /// <inheritdoc/>
    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) => FillAsync(1, cancellationToken);

    /// <inheritdoc/>
    protected override ValueTask<ReadResult> ReadAtLeastAsyncCore(int minimumSize, CancellationToken cancellationToken) =>
        FillAsync(minimumSize, cancellationToken);

    /// <inheritdoc/>
    public override void CancelPendingRead()
    {
        lock (_lock)
        {
            _isCanceled = true;
            _pending?.Cancel();
        }
    }

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => _ended = true;

    private async ValueTask<ReadResult> FillAsync(int minimum, CancellationToken cancellationToken)
    {
        if (IsEnough(minimum))
        {
            return HandOut(TakeCancellation());
        }

        using CancellationTokenSource pending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        lock (_lock)
        {
            if (_isCanceled)
            {
                pending.Cancel();
            }

            _pending = pending;
        }

        try
        {
            while (!IsEnough(minimum))
            {
                MakeRoom();
                int read = await _stream.ReadAsync(_buffer.AsMemory(_end, ReadSize), pending.Token);
                _end += read;
                _ended = read == 0;
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // CancelPendingRead; handed out as such.
        }
        finally
        {
            lock (_lock)
            {
                _pending = null;
            }
        }

        return HandOut(TakeCancellation());
    }

    // And something that the consumer has not looked at.
    private bool IsEnough(int minimum) => _ended || (_end - _start >= minimum && _examined < _end);

    private ReadResult HandOut(bool isCanceled)
    {
        _handedOut = new ReadOnlySequence<byte>(_buffer, _start, _end - _start);
        return new ReadResult(_handedOut, isCanceled, _ended);
    }

    private bool TakeCancellation()
    {
        lock (_lock)
        {
            bool isCanceled = _isCanceled;
            _isCanceled = false;
            return isCanceled;
        }
    }

    // Room for a whole read.
    private void MakeRoom()
    {
        if (_buffer.Length - _end >= ReadSize)
        {
            return;
        }

        int length = _end - _start;

        // Where the consumer waits for more than there is room for, the frame is larger than any before.
        byte[] target = _buffer.Length - length >= ReadSize ? _buffer : GC.AllocateUninitializedArray<byte>(_buffer.Length * 2);
        Buffer.BlockCopy(_buffer, _start, target, 0, length);
        _buffer = target;
        _examined -= _start;
        _start = 0;
        _end = length;
    }
}
