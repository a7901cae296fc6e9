using System.Buffers;
using DiskSync.Nbd.Wire;

namespace DiskSync.Nbd.Client;

/// <summary>An export of an NBD server: read, written and asked about over one connection or several.</summary>
/// <remarks>
/// <para>Thread safe; many requests are under way at once, and are answered in any order. How many, and how many bytes, is
/// bounded by the options: who asks for more waits. Sending blocks the caller while the server takes nothing, the
/// asynchronous calls too. A request that has been sent cannot be called back, so cancellation ends only the waiting before.</para>
/// <para>Failures: <see cref="NbdServerException"/> where the server could not do one request, <see cref="NbdConnectionException"/>
/// where the connection is dead. A write that failed in the second way may or may not have been done. With several
/// connections the loss of one is the loss of all: what it had answered but not made durable may be gone.</para>
/// <para>Source: the NBD protocol of the NetworkBlockDevice project. Ranges must lie within the export and be multiples of its
/// <see cref="NbdExportInfo.MinimumBlock"/>; anything else is a caller's bug and throws at once.</para>
/// </remarks>
public sealed class NbdClient : IDisposable
{
    /// <summary>The kind of block status that tells holes and zeros (<see cref="NbdExtentFlags"/>).</summary>
    public const string Allocation = "base:allocation";

    // A command without data may be longer than one with, but servers' integers have an end.
    private const long LongestRange = 128 << 20;

    private readonly Func<CancellationToken, Stream> _dial;
    private readonly NbdClientOptions _options;
    private readonly NbdFlow _flow;
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _closing = new();
    private readonly Thread? _growing;
    private NbdLink[] _links;
    private int _isDisposed;

    private NbdClient(Func<CancellationToken, Stream> dial, NbdClientOptions options)
    {
        _dial = dial;
        _options = options;
        _flow = new NbdFlow(options.InFlightRequests, options.InFlightBytes);
        _links = [NbdLink.Open(dial, options, Answered, CancellationToken.None)];
        Export = _links[0].Export;
        if (options.Connections > 1 && Export.CanMultiConn)
        {
            _growing = new Thread(Grow) { IsBackground = true, Name = "nbd connections" };
            _growing.Start();
        }
    }

    /// <summary>What was agreed on.</summary>
    public NbdExportInfo Export { get; }

    /// <summary>How many connections there are now; further ones are made beside the first requests.</summary>
    public int Connections => Volatile.Read(ref _links).Length;

    /// <summary>Connects to an export.</summary>
    /// <param name="dial">Makes a connection, with blocking reads and writes; the stream is the client's from then on.</param>
    /// <param name="options">How.</param>
    /// <returns>The client, owned by the caller.</returns>
    /// <exception cref="NbdConnectionException">The server is not there, says nothing, or does not keep to the protocol.</exception>
    /// <exception cref="NbdRefusedException">The server has no such export, or wants or lacks TLS.</exception>
    public static NbdClient Connect(Func<CancellationToken, Stream> dial, NbdClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(dial);
        Check(options);
        return new NbdClient(dial, options);
    }

    /// <summary>Asks a server which exports it has.</summary>
    /// <param name="dial">Makes a connection.</param>
    /// <param name="options">How; the export's name does not matter.</param>
    /// <exception cref="NbdConnectionException">The server is not there, says nothing, or does not keep to the protocol.</exception>
    /// <exception cref="NbdRefusedException">The server does not tell.</exception>
    public static IReadOnlyList<NbdExportEntry> List(Func<CancellationToken, Stream> dial, NbdClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(dial);
        Check(options);
        return NbdLink.List(dial, options);
    }

    /// <summary>Fills the buffer.</summary>
    public void Read(long offset, Span<byte> buffer)
    {
        CheckRange(offset, buffer.Length);
        byte[] received = ArrayPool<byte>.Shared.Rent(buffer.Length);
        try
        {
            ReadAsync(offset, received.AsMemory(0, buffer.Length), CancellationToken.None).GetAwaiter().GetResult();
            received.AsSpan(0, buffer.Length).CopyTo(buffer);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(received);
        }
    }

    /// <summary>Fills the buffer, which must not be used before the task has ended.</summary>
    public Task ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellation)
    {
        CheckRange(offset, buffer.Length);
        return InPieces(offset, buffer.Length, Export.MaximumPayload, (at, length) => DoAsync(
            Request(NbdCommand.Read, NbdCommandFlags.None, at, length),
            default,
            buffer.Slice((int)(at - offset), (int)length),
            cancellation));
    }

    /// <summary>Writes.</summary>
    /// <param name="offset">Where.</param>
    /// <param name="data">What.</param>
    /// <param name="fua">Whether it is durable when this returns.</param>
    public void Write(long offset, ReadOnlySpan<byte> data, bool fua = false)
    {
        CheckWritable(offset, data.Length, fua);
        NbdCommandFlags flags = fua ? NbdCommandFlags.Fua : NbdCommandFlags.None;
        List<Task> under = [];
        for (int at = 0; at < data.Length; at += Export.MaximumPayload)
        {
            ReadOnlySpan<byte> piece = data[at..Math.Min(data.Length, at + Export.MaximumPayload)];
            _flow.TakeAsync(piece.Length, CancellationToken.None).AsTask().GetAwaiter().GetResult();
            under.Add(Send(Request(NbdCommand.Write, flags, offset + at, piece.Length), piece, default).Done);
        }

        Task.WhenAll(under).GetAwaiter().GetResult();
    }

    /// <summary>Writes data which must not be changed before the task has ended.</summary>
    /// <param name="offset">Where.</param>
    /// <param name="data">What.</param>
    /// <param name="fua">Whether it is durable when the task has ended.</param>
    /// <param name="cancellation">Ends the waiting before it is sent.</param>
    public Task WriteAsync(long offset, ReadOnlyMemory<byte> data, bool fua, CancellationToken cancellation)
    {
        CheckWritable(offset, data.Length, fua);
        NbdCommandFlags flags = fua ? NbdCommandFlags.Fua : NbdCommandFlags.None;
        return InPieces(offset, data.Length, Export.MaximumPayload, (at, length) => DoAsync(
            Request(NbdCommand.Write, flags, at, length), data.Slice((int)(at - offset), (int)length), default, cancellation));
    }

    /// <summary>Makes everything durable that was answered before.</summary>
    /// <exception cref="InvalidOperationException">The export cannot be flushed.</exception>
    public void Flush() => FlushAsync(CancellationToken.None).GetAwaiter().GetResult();

    /// <summary>Makes everything durable that was answered before.</summary>
    /// <exception cref="InvalidOperationException">The export cannot be flushed.</exception>
    public Task FlushAsync(CancellationToken cancellation)
    {
        Need(Export.CanFlush, "cannot be flushed");
        return DoAsync(Request(NbdCommand.Flush, NbdCommandFlags.None, 0, 0), default, default, cancellation);
    }

    /// <summary>Makes a range read as zeros.</summary>
    /// <param name="offset">Its start.</param>
    /// <param name="length">Its length.</param>
    /// <param name="flags">FUA, NoHole and FastZero; with the last, zeros that would not be fast fail as <see cref="NbdError.NotSupported"/>.</param>
    public void Zero(long offset, long length, NbdCommandFlags flags = NbdCommandFlags.None) =>
        ZeroAsync(offset, length, flags, CancellationToken.None).GetAwaiter().GetResult();

    /// <summary>Makes a range read as zeros.</summary>
    /// <param name="offset">Its start.</param>
    /// <param name="length">Its length.</param>
    /// <param name="flags">FUA, NoHole and FastZero; with the last, zeros that would not be fast fail as <see cref="NbdError.NotSupported"/>.</param>
    /// <param name="cancellation">Ends the waiting before it is sent.</param>
    public Task ZeroAsync(long offset, long length, NbdCommandFlags flags, CancellationToken cancellation)
    {
        CheckWritable(offset, length, flags.HasFlag(NbdCommandFlags.Fua));
        Need(Export.CanZero, "makes no zeros by itself");
        Need(Export.CanZeroFast || !flags.HasFlag(NbdCommandFlags.FastZero), "does not say where zeros would be slow");
        return InPieces(offset, length, LongestRange, (at, count) => DoAsync(
            Request(NbdCommand.WriteZeroes, flags, at, count), default, default, cancellation));
    }

    /// <summary>Says that what a range holds is of no interest any more; what it reads as then is the server's affair.</summary>
    public void Trim(long offset, long length) => TrimAsync(offset, length, CancellationToken.None).GetAwaiter().GetResult();

    /// <summary>Says that what a range holds is of no interest any more; what it reads as then is the server's affair.</summary>
    public Task TrimAsync(long offset, long length, CancellationToken cancellation)
    {
        CheckWritable(offset, length, fua: false);
        Need(Export.CanTrim, "cannot be trimmed");
        return InPieces(offset, length, LongestRange, (at, count) => DoAsync(
            Request(NbdCommand.Trim, NbdCommandFlags.None, at, count), default, default, cancellation));
    }

    /// <summary>Has the server read a range ahead.</summary>
    public Task CacheAsync(long offset, long length, CancellationToken cancellation)
    {
        CheckRange(offset, length);
        Need(Export.CanCache, "does not read ahead");
        return InPieces(offset, length, Export.MaximumPayload, (at, count) => DoAsync(
            Request(NbdCommand.Cache, NbdCommandFlags.None, at, count), default, default, cancellation));
    }

    /// <summary>Asks what a range is like.</summary>
    /// <param name="kind">One of <see cref="NbdExportInfo.StatusKinds"/>.</param>
    /// <param name="offset">The range's start.</param>
    /// <param name="length">Its length, more than nothing.</param>
    /// <returns>Extents without gaps from its start, at least one, which may end early: then ask again from there. None passes its end.</returns>
    public IReadOnlyList<NbdExtent> Status(string kind, long offset, long length) =>
        StatusAsync(kind, offset, length, CancellationToken.None).GetAwaiter().GetResult();

    /// <summary>Asks what a range is like.</summary>
    /// <param name="kind">One of <see cref="NbdExportInfo.StatusKinds"/>.</param>
    /// <param name="offset">The range's start.</param>
    /// <param name="length">Its length, more than nothing.</param>
    /// <param name="cancellation">Ends the waiting before it is sent.</param>
    /// <returns>Extents without gaps from its start, at least one, which may end early: then ask again from there. None passes its end.</returns>
    public async Task<IReadOnlyList<NbdExtent>> StatusAsync(string kind, long offset, long length, CancellationToken cancellation)
    {
        CheckRange(offset, length);
        ArgumentOutOfRangeException.ThrowIfZero(length);
        Need(Export.StatusKinds.Contains(kind, StringComparer.Ordinal), $"has no block status of the kind {kind}");
        await _flow.TakeAsync(0, cancellation).ConfigureAwait(false);
        NbdLink link = Choose();
        NbdPending pending = Send(
            Request(NbdCommand.BlockStatus, NbdCommandFlags.None, offset, Math.Min(length, LongestRange)), default, default, link);
        await pending.Done.ConfigureAwait(false);
        return pending.Status[link.KindNumber(kind)];
    }

    /// <summary>Says goodbye and ends all connections; what is under way fails as <see cref="NbdConnectionFailure.Closed"/>.</summary>
    /// <remarks>May be called by several at once, as by all whose requests a lost connection has failed; the first one does it.</remarks>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        _closing.Cancel();
        _flow.Close(new NbdConnectionException(NbdConnectionFailure.Closed, "the connection was closed on this side"));
        _growing?.Join();
        foreach (NbdLink link in _links)
        {
            link.Dispose();
        }

        _closing.Dispose();
    }

    private static void Check(NbdClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Connections, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.InFlightRequests, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.StatusKinds.Count, NbdLimits.MaxQueries);
    }

    private static NbdRequest Request(NbdCommand command, NbdCommandFlags flags, long offset, long length) =>
        new(flags, command, 0, (ulong)offset, (uint)length);

    private static long BytesOf(in NbdRequest request) => request.Command is NbdCommand.Read or NbdCommand.Write ? request.Length : 0;

    private void CheckRange(long offset, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Export.Length - Math.Min(offset, Export.Length));
        int block = Export.MinimumBlock;
        if (offset % block != 0 || (length % block != 0 && offset + length != Export.Length))
        {
            throw new ArgumentException($"{length} bytes at {offset} are not multiples of {block}");
        }
    }

    private void CheckWritable(long offset, long length, bool fua)
    {
        CheckRange(offset, length);
        Need(!Export.IsReadOnly, "cannot be written");
        Need(!fua || Export.CanFua, "does not make single writes durable");
    }

    private static void Need(bool isSo, string otherwise)
    {
        if (!isSo)
        {
            throw new InvalidOperationException($"this export {otherwise}");
        }
    }

    private static Task InPieces(long offset, long length, long most, Func<long, long, Task> send)
    {
        if (length <= most)
        {
            return length == 0 ? Task.CompletedTask : send(offset, length);
        }

        List<Task> pieces = [];
        for (long at = offset; at < offset + length; at += most)
        {
            pieces.Add(send(at, Math.Min(most, offset + length - at)));
        }

        return Task.WhenAll(pieces);
    }

    private async Task DoAsync(NbdRequest request, ReadOnlyMemory<byte> data, Memory<byte> buffer, CancellationToken cancellation)
    {
        await _flow.TakeAsync(BytesOf(request), cancellation).ConfigureAwait(false);
        await Send(request, data.Span, buffer).Done.ConfigureAwait(false);
    }

    /// <summary>Sends what has its share of the flow already, and gives that back where it cannot be sent.</summary>
    private NbdPending Send(NbdRequest request, ReadOnlySpan<byte> data, Memory<byte> buffer, NbdLink? link = null)
    {
        bool mayTakeLong = request.Flags.HasFlag(NbdCommandFlags.Fua)
            || request.Command is NbdCommand.Flush or NbdCommand.WriteZeroes or NbdCommand.Trim or NbdCommand.Cache;
        try
        {
            return (link ?? Choose()).Send(request, data, buffer, mayTakeLong ? _options.FlushLimit : _options.ReplyLimit);
        }
        catch
        {
            _flow.Return(BytesOf(request));
            throw;
        }
    }

    private void Answered(NbdPending pending) => _flow.Return(BytesOf(pending.Request));

    // A dead one is chosen before all others: nothing may seem to go on once a part of what was written may be lost.
    private NbdLink Choose()
    {
        NbdLink[] links = Volatile.Read(ref _links);
        NbdLink chosen = links[0];
        foreach (NbdLink link in links)
        {
            if (link.IsDead)
            {
                return link;
            }

            chosen = link.Busy < chosen.Busy ? link : chosen;
        }

        return chosen;
    }

    /// <summary>Makes the further connections. A server that does not take them does well with fewer.</summary>
    private void Grow()
    {
        while (Connections < _options.Connections && !_closing.IsCancellationRequested)
        {
            NbdLink? link = null;
            try
            {
                link = NbdLink.Open(_dial, _options, Answered, _closing.Token);
            }
            catch (Exception exception) when (exception is NbdConnectionException or NbdRefusedException or OperationCanceledException)
            {
                return;
            }

            // Another export by the same name is none of ours.
            if (link.Export.Length != Export.Length || link.Export.Flags != Export.Flags || !link.Export.StatusKinds.SequenceEqual(Export.StatusKinds))
            {
                link.Dispose();
                return;
            }

            lock (_gate)
            {
                Volatile.Write(ref _links, [.. _links, link]);
            }
        }
    }
}
