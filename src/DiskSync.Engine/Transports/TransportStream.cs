using System.IO.Pipelines;

namespace DiskSync.Engine.Transports;

/// <summary>A transport as one stream, for a protocol that wants one.</summary>
/// <remarks>
/// One thread may read while another writes. Nothing waits in it: what was written has been handed to the transport. Disposing
/// it, from any thread, breaks the transport, which stays its owner's; whoever reads or writes fails with an <see cref="IOException"/>.
/// </remarks>
/// <param name="transport">The transport.</param>
public sealed class TransportStream(ITransport transport) : Stream
{
    private long _heardAt = Environment.TickCount64;
    private long _written;
    private volatile bool _isBroken;

    /// <summary>Bytes that were written so far.</summary>
    public long Written => Interlocked.Read(ref _written);

    /// <summary>How long nothing has arrived.</summary>
    public TimeSpan Silence => TimeSpan.FromMilliseconds(Environment.TickCount64 - Volatile.Read(ref _heardAt));

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        ReadResult result = Guard(() => Wait(transport.Input.ReadAsync()));
        return Take(result, buffer);
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            return Take(await transport.Input.ReadAsync(cancellationToken), buffer.Span);
        }
        catch (Exception exception) when (exception is ObjectDisposedException or InvalidOperationException)
        {
            throw Broken(exception);
        }
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        // The pipe copies it, so that it may be awaited.
        try
        {
            System.Buffers.BuffersExtensions.Write(transport.Output, buffer);
        }
        catch (Exception exception) when (exception is ObjectDisposedException or InvalidOperationException)
        {
            throw Broken(exception);
        }

        Check(Guard(() => Wait(transport.Output.FlushAsync())));
        Interlocked.Add(ref _written, buffer.Length);
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            Check(await transport.Output.WriteAsync(buffer, cancellationToken));
            Interlocked.Add(ref _written, buffer.Length);
        }
        catch (Exception exception) when (exception is ObjectDisposedException or InvalidOperationException)
        {
            throw Broken(exception);
        }
    }

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override void Flush()
    {
        // What was written has gone already.
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && !_isBroken)
        {
            _isBroken = true;
            transport.Abort();
        }

        base.Dispose(disposing);
    }

    private static T Wait<T>(ValueTask<T> pending) => pending.IsCompleted ? pending.Result : pending.AsTask().GetAwaiter().GetResult();

    private static T Guard<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception exception) when (exception is ObjectDisposedException or InvalidOperationException)
        {
            throw Broken(exception);
        }
    }

    private static IOException Broken(Exception exception) => new("the connection was broken", exception);

    private int Take(ReadResult result, Span<byte> buffer)
    {
        if (result.IsCanceled || _isBroken)
        {
            throw new IOException("the connection was broken");
        }

        int count = (int)Math.Min(buffer.Length, result.Buffer.Length);
        SequencePosition end = result.Buffer.GetPosition(count);
        System.Buffers.BuffersExtensions.CopyTo(result.Buffer.Slice(0, end), buffer);
        transport.Input.AdvanceTo(end);
        Volatile.Write(ref _heardAt, Environment.TickCount64);
        return count;
    }

    private static void Check(FlushResult result)
    {
        if (result.IsCanceled || result.IsCompleted)
        {
            throw new IOException("the peer has closed the connection");
        }
    }
}
