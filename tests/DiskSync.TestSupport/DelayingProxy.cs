using System.Buffers;
using System.IO.Pipelines;
using DiskSync.Engine.Transports;

namespace DiskSync.TestSupport;

/// <summary>A connection between both ends in this process that can be cut after so many bytes, or hold bytes back.</summary>
/// <remarks>
/// Holding and cutting are independent: the source's end can be gone while the bytes that it sent last are still on
/// their way, which is what a slow network does to a reconnect.
/// </remarks>
public sealed class DelayingProxy
{
    private readonly ITransport _fromSource;
    private readonly ITransport _toDestination;
    private readonly TaskCompletionSource _holding = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _cut = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long _cutAfter;
    private readonly long _holdAfter;
    private readonly long _cutBackAfter;
    private readonly List<byte> _forwardLog = [];
    private readonly List<byte> _backLog = [];

    /// <summary>Connects both ends.</summary>
    /// <param name="cutAfter">How many bytes reach the destination before the connection is cut, in the middle of a frame or not.</param>
    /// <param name="holdAfter">How many bytes reach the destination before the rest is held back.</param>
    /// <param name="cutBackAfter">How many bytes reach the source before the connection is cut.</param>
    public DelayingProxy(long cutAfter = long.MaxValue, long holdAfter = long.MaxValue, long cutBackAfter = long.MaxValue)
    {
        _cutAfter = cutAfter;
        _holdAfter = holdAfter;
        _cutBackAfter = cutBackAfter;
        (Source, _fromSource) = InMemoryTransport.CreatePair();
        (_toDestination, Destination) = InMemoryTransport.CreatePair();
        ToDestination = Task.Run(ForwardAsync);
        ToSource = Task.Run(BackAsync);
    }

    /// <summary>The source's end.</summary>
    public ITransport Source { get; }

    /// <summary>The destination's end.</summary>
    public ITransport Destination { get; }

    /// <summary>Bytes that reached the destination.</summary>
    public long Forwarded { get; private set; }

    /// <summary>What reached the destination; read it when the connection has ended.</summary>
    public byte[] ForwardLog => [.. _forwardLog];

    /// <summary>What reached the source; read it when the connection has ended.</summary>
    public byte[] BackLog => [.. _backLog];

    /// <summary>Completes when bytes are being held back.</summary>
    public Task Holding => _holding.Task;

    /// <summary>Completes when the way to the destination is closed.</summary>
    public Task ToDestination { get; }

    /// <summary>Completes when the way to the source is closed.</summary>
    public Task ToSource { get; }

    /// <summary>The source sees the connection end; what it has sent stays on its way.</summary>
    public void CutSource() => _fromSource.Output.Complete();

    /// <summary>Lets the bytes that were held back arrive.</summary>
    public void Release() => _released.TrySetResult();

    private async Task ForwardAsync()
    {
        PipeReader from = _fromSource.Input;
        PipeWriter to = _toDestination.Output;
        while (true)
        {
            ReadResult read = await from.ReadAsync();
            foreach (ReadOnlyMemory<byte> piece in read.Buffer)
            {
                if (!await ForwardAsync(piece, to))
                {
                    await to.CompleteAsync();
                    await from.CompleteAsync();
                    _cut.TrySetResult();
                    _toDestination.Input.CancelPendingRead();
                    return;
                }
            }

            from.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                break;
            }
        }

        await to.CompleteAsync();
        await from.CompleteAsync();
    }

    private async Task<bool> ForwardAsync(ReadOnlyMemory<byte> piece, PipeWriter to)
    {
        while (!piece.IsEmpty)
        {
            if (Forwarded >= _holdAfter && !_released.Task.IsCompleted)
            {
                _holding.TrySetResult();
                await _released.Task;
            }

            long limit = _released.Task.IsCompleted ? _cutAfter : Math.Min(_cutAfter, _holdAfter);
            int count = (int)Math.Min(piece.Length, limit - Forwarded);
            FlushResult flushed = await to.WriteAsync(piece[..count]);
            _forwardLog.AddRange(piece.Span[..count]);
            Forwarded += count;
            piece = piece[count..];
            if (flushed.IsCompleted || Forwarded >= _cutAfter)
            {
                return false;
            }
        }

        return true;
    }

    private async Task BackAsync()
    {
        PipeReader from = _toDestination.Input;
        PipeWriter to = _fromSource.Output;
        try
        {
            while (true)
            {
                ReadResult read = await from.ReadAsync();
                if (_cut.Task.IsCompleted)
                {
                    break;
                }

                foreach (ReadOnlyMemory<byte> piece in read.Buffer)
                {
                    int count = (int)Math.Min(piece.Length, _cutBackAfter - _backLog.Count);
                    _backLog.AddRange(piece.Span[..count]);
                    await to.WriteAsync(piece[..count]);
                    if (_backLog.Count >= _cutBackAfter)
                    {
                        await to.CompleteAsync();
                        await from.CompleteAsync();
                        return;
                    }
                }

                from.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                {
                    break;
                }
            }
        }
        catch (InvalidOperationException)
        {
            // The source's end was cut meanwhile.
        }

        await to.CompleteAsync();
        await from.CompleteAsync();
    }
}
