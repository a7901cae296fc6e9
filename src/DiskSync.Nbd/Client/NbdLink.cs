using System.Diagnostics;
using System.Net.Sockets;
using System.Security.Authentication;
using DiskSync.Nbd.Wire;

namespace DiskSync.Nbd.Client;

/// <summary>One connection: requests go out as callers send them, a thread of its own takes what comes back, in whatever order.</summary>
/// <remarks>
/// Thread safe. Whatever ends it, the thread that receives is the one that fails what is under way: no buffer is
/// touched after its caller has heard of the end.
/// </remarks>
internal sealed class NbdLink : IDisposable
{
    // Head and data of a write leave together up to here.
    private const int GatherBytes = 64 << 10;
    private static readonly TimeSpan LongestWatch = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(2);

    private readonly Stream _raw;
    private readonly NbdClientAgreement _agreement;
    private readonly Action<NbdPending> _onAnswered;
    private readonly Lock _gate = new();
    private readonly Lock _sending = new();
    private readonly Dictionary<ulong, NbdPending> _pending = [];
    private readonly byte[] _gathered = new byte[NbdRequest.Size + GatherBytes];
    private readonly Thread _receiving;
    private readonly Timer _watch;
    private ulong _cookie;
    private long _bytes;
    private NbdConnectionException? _cause;
    private NbdConnectionException? _ended;

    private NbdLink(Stream raw, NbdClientAgreement agreement, NbdClientOptions options, Action<NbdPending> onAnswered)
    {
        _raw = raw;
        _agreement = agreement;
        _onAnswered = onAnswered;
        TimeSpan watch = options.ReplyLimit / 4 < LongestWatch ? options.ReplyLimit / 4 : LongestWatch;
        _receiving = new Thread(Receive) { IsBackground = true, Name = "nbd replies" };
        _receiving.Start();
        _watch = new Timer(_ => Watch(), null, watch, watch);
    }

    /// <summary>What is served.</summary>
    public NbdExportInfo Export => _agreement.Export;

    /// <summary>Bytes of reads and writes under way; a measure of how busy it is.</summary>
    public long Busy => Interlocked.Read(ref _bytes);

    /// <summary>Whether nothing can be asked over it any more.</summary>
    public bool IsDead => Volatile.Read(ref _ended) is not null || Volatile.Read(ref _cause) is not null;

    /// <summary>Connects and negotiates.</summary>
    /// <param name="dial">Makes the connection.</param>
    /// <param name="options">How.</param>
    /// <param name="onAnswered">Told of each request that is under way no more, before its caller is; from any thread.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    public static NbdLink Open(Func<CancellationToken, Stream> dial, NbdClientOptions options, Action<NbdPending> onAnswered, CancellationToken cancellation) =>
        Negotiate(dial, options, (stream, handshake) => new NbdLink(stream, handshake.Run(), options, onAnswered), cancellation);

    /// <summary>Connects and asks which exports there are.</summary>
    public static IReadOnlyList<NbdExportEntry> List(Func<CancellationToken, Stream> dial, NbdClientOptions options) =>
        Negotiate(
            dial,
            options,
            (stream, handshake) =>
            {
                using (stream)
                {
                    return handshake.List();
                }
            },
            CancellationToken.None);

    /// <summary>The number by which this connection knows a kind of block status.</summary>
    public uint KindNumber(string kind) => _agreement.Kinds[kind];

    /// <summary>Sends a request; its cookie is chosen here.</summary>
    /// <param name="request">What.</param>
    /// <param name="data">What follows a write; not used after this returns.</param>
    /// <param name="buffer">Takes what is read; must not be used before the request is done.</param>
    /// <param name="limit">How long it may stay unanswered.</param>
    /// <exception cref="NbdConnectionException">The connection is dead, and nothing was sent.</exception>
    public NbdPending Send(NbdRequest request, ReadOnlySpan<byte> data, Memory<byte> buffer, TimeSpan limit)
    {
        NbdPending pending;
        lock (_gate)
        {
            if (_ended is { } ended)
            {
                throw new NbdConnectionException(ended.Failure, ended.Message, ended);
            }

            pending = new NbdPending(request with { Cookie = ++_cookie }, buffer, limit);
            _pending.Add(_cookie, pending);
        }

        Interlocked.Add(ref _bytes, Weight(pending));
        try
        {
            lock (_sending)
            {
                pending.Request.Write(_gathered);
                if (data.Length <= GatherBytes)
                {
                    data.CopyTo(_gathered.AsSpan(NbdRequest.Size));
                    _agreement.Stream.Write(_gathered, 0, NbdRequest.Size + data.Length);
                }
                else
                {
                    _agreement.Stream.Write(_gathered, 0, NbdRequest.Size);
                    _agreement.Stream.Write(data);
                }
            }
        }
        catch (Exception exception) when (IsLoss(exception))
        {
            // The thread that receives tells every caller, this one too.
            Break(new NbdConnectionException(NbdConnectionFailure.Lost, $"the connection was lost: {exception.Message}", exception));
        }

        return pending;
    }

    /// <summary>Says goodbye and ends the connection; what is under way fails.</summary>
    public void Dispose()
    {
        if (!IsDead)
        {
            SayGoodbye();
        }

        Break(new NbdConnectionException(NbdConnectionFailure.Closed, "the connection was closed on this side"));
        _receiving.Join();
        _watch.Dispose();
        _agreement.Stream.Dispose();
    }

    internal static bool IsLoss(Exception exception) =>
        exception is IOException or SocketException or ObjectDisposedException or InvalidOperationException or AuthenticationException;

    private static T Negotiate<T>(
        Func<CancellationToken, Stream> dial, NbdClientOptions options, Func<Stream, NbdClientHandshake, T> negotiate, CancellationToken cancellation)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(options.NegotiationLimit);
        Stream? stream = null;
        try
        {
            stream = dial(limit.Token);
            if (stream.CanTimeout)
            {
                stream.WriteTimeout = (int)options.ReplyLimit.TotalMilliseconds;
            }

            // A server that says a little now and then must not hold anybody up either, so the whole of it is limited.
            using (limit.Token.Register(stream.Dispose))
            {
                return negotiate(stream, new NbdClientHandshake(stream, options));
            }
        }
        catch (Exception exception)
        {
            stream?.Dispose();
            throw limit.IsCancellationRequested && exception is not NbdRefusedException
                ? new NbdConnectionException(
                    cancellation.IsCancellationRequested ? NbdConnectionFailure.Closed : NbdConnectionFailure.Silent,
                    $"the server did not come to an agreement within {options.NegotiationLimit.TotalSeconds:0.#} s",
                    exception)
                : Translate(exception, stream is null, options.Tls is not null);
        }
    }

    private static Exception Translate(Exception exception, bool isDialling, bool isTls) => exception switch
    {
        _ when !IsLoss(exception) => exception,
        _ when isDialling => new NbdConnectionException(NbdConnectionFailure.NotReached, $"the server cannot be reached: {exception.Message}", exception),

        // In TLS 1.3 a server judges the client's certificate after the client has gone on: its refusal is a loss here.
        _ when isTls => new NbdConnectionException(
            NbdConnectionFailure.Tls, $"the server has ended the connection; it may not trust this side's certificate ({Reason(exception)})", exception),
        EndOfStreamException => new NbdConnectionException(
            NbdConnectionFailure.Lost, "the server has ended the connection instead of negotiating", exception),
        _ => new NbdConnectionException(
            NbdConnectionFailure.Lost, $"the connection was lost while it was negotiated: {Reason(exception)}", exception),
    };

    private static string Reason(Exception exception) => exception.InnerException?.Message ?? exception.Message;

    private static long Weight(NbdPending pending) => Math.Max(1, pending.Request.Command is NbdCommand.Read or NbdCommand.Write ? pending.Request.Length : 0);

    private void Receive()
    {
        NbdReplyReader reader = new(_agreement.Stream, _agreement.Export.IsStructured, [.. _agreement.Kinds.Values], Find, Remove);
        try
        {
            while (true)
            {
                reader.ReadOne();
            }
        }
        catch (NbdConnectionException exception)
        {
            Break(exception);
        }
        catch (EndOfStreamException exception)
        {
            Break(new NbdConnectionException(NbdConnectionFailure.Lost, "the server has ended the connection", exception));
        }
        catch (Exception exception) when (IsLoss(exception))
        {
            Break(new NbdConnectionException(NbdConnectionFailure.Lost, $"the connection was lost: {exception.Message}", exception));
        }

        NbdPending[] left;
        lock (_gate)
        {
            _ended = _cause;
            left = [.. _pending.Values];
            _pending.Clear();
        }

        foreach (NbdPending pending in left)
        {
            Answered(pending);
            pending.Fail(new NbdConnectionException(_ended!.Failure, _ended.Message, _ended));
        }
    }

    private NbdPending? Find(ulong cookie)
    {
        lock (_gate)
        {
            return _pending.GetValueOrDefault(cookie);
        }
    }

    private void Remove(NbdPending pending)
    {
        lock (_gate)
        {
            _pending.Remove(pending.Request.Cookie);
        }

        Answered(pending);
    }

    private void Answered(NbdPending pending)
    {
        Interlocked.Add(ref _bytes, -Weight(pending));
        _onAnswered(pending);
    }

    private void Watch()
    {
        NbdPending? late;
        lock (_gate)
        {
            late = _pending.Values.FirstOrDefault(p => p.IsOverdue);
        }

        if (late is not null)
        {
            Break(new NbdConnectionException(
                NbdConnectionFailure.Silent,
                $"the server has not answered {late.Request.Command} of {late.Request.Length} bytes at {late.Request.Offset} within {late.Limit.TotalSeconds:0.#} s"));
        }
    }

    // The first cause is the one that is told; the end itself comes by the stream, which the receiving thread waits on.
    private void Break(NbdConnectionException cause)
    {
        Interlocked.CompareExchange(ref _cause, cause, null);
        _raw.Dispose();
    }

    private void SayGoodbye()
    {
        // Who still waits to send must not be waited for here.
        if (!_sending.TryEnter(Farewell))
        {
            return;
        }

        try
        {
            new NbdRequest(NbdCommandFlags.None, NbdCommand.Disconnect, 0, 0, 0).Write(_gathered);
            _agreement.Stream.Write(_gathered, 0, NbdRequest.Size);
        }
        catch (Exception exception) when (IsLoss(exception))
        {
            Debug.WriteLine(exception.Message);
        }
        finally
        {
            _sending.Exit();
        }
    }
}
