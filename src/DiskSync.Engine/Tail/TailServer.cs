using System.Net.Sockets;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Transports;
using DiskSync.Formats.Wire;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Nbd.Server;
using DiskSync.Nbd.Wire;

namespace DiskSync.Engine.Tail;

/// <summary>The source's end of an on-demand tail: dials the destination and serves the frozen image to it, read-only, until nothing is missing there.</summary>
/// <remarks>
/// One connection for what guests wait for, some for the background, the two kinds each with their own workers, so that what is
/// fetched ahead holds up nothing that is waited for; each connection is dialled anew for as long as it takes, whichever of the processes at the other end dies
/// (docs/tail.md). It decides nothing: that the frozen image is needed no more is the destination's word alone.
/// </remarks>
/// <param name="dial">Connects to the receiver, and makes sure of who it is.</param>
/// <param name="image">The frozen image, read-only; not owned.</param>
/// <param name="options">How.</param>
/// <param name="tell">Told what the operator should know: when the link is lost, and that it is back; from any thread.</param>
public sealed class TailServer(
    Func<CancellationToken, Task<ITransport>> dial, INbdExport image, TailServerOptions options, Action<string> tell)
{
    private const int Workers = 8;

    // As many as the destination asks for ahead on a long way at a high rate.
    private const int MostUnderWay = 1024;

    // Of all connections in a second.
    private const long FastBytes = 2 << 20;

    private readonly Lock _gate = new();
    private readonly TaskCompletionSource<bool> _isTcp = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _served;
    private bool _isLinked;
    private string _trouble = string.Empty;

    /// <summary>Whether the destination is connected for what its guest waits for.</summary>
    public bool IsLinked
    {
        get
        {
            lock (_gate)
            {
                return _isLinked;
            }
        }
    }

    /// <summary>Bytes that were served so far, over all connections; to the second.</summary>
    public long BytesServed => Interlocked.Read(ref _served);

    /// <summary>Makes the frozen image's block map, which is offered once it is there; null for none. Without it nothing that the destination fetches is compared.</summary>
    public Func<CancellationToken, Task<FrozenMap>>? Hashes { get; init; }

    /// <summary>Serves until the destination says that it needs nothing more, or owns by no such attempt.</summary>
    /// <param name="attempt">The attempt by which the image was handed over.</param>
    /// <param name="epoch">Its epoch.</param>
    /// <param name="place">The image's place in the attempt's Prepare.</param>
    /// <param name="cancellation">Ends it; the destination's guest waits for what it has not fetched.</param>
    /// <returns>How the attempt stands at the destination, by its journal.</returns>
    public async Task<AttemptStatus> RunAsync(Guid attempt, ulong epoch, ushort place, CancellationToken cancellation)
    {
        using CancellationTokenSource done = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using NbdServer urgent = Server(image);
        using NbdServer background = Server(image);
        Serve offer = new(attempt, epoch, place, ServeUse.Background);
        List<Task<AttemptStatus?>> ways =
        [
            KeepAsync(offer with { Use = ServeUse.Urgent }, urgent, done.Token),
            KeepAsync(offer, background, done.Token),
            .. Enumerable.Range(1, options.Background - 1).Select(_ => KeepMoreAsync(offer, background, done.Token)),
        ];
        if (Hashes is not null)
        {
            ways.Add(OfferHashesAsync(offer with { Use = ServeUse.Hashes }, done.Token));
        }

        AttemptStatus? answer = null;
        Exception? failure = null;
        while (ways.Count > 0)
        {
            Task<AttemptStatus?> ended = await Task.WhenAny(ways);
            ways.Remove(ended);
            try
            {
                answer = await ended ?? answer;
            }
            catch (Exception exception)
            {
                failure ??= exception;
            }

            if (answer is not null || failure is not null)
            {
                await done.CancelAsync();
            }
        }

        return answer ?? throw failure ?? new InvalidOperationException("nothing was served");
    }

    private async Task<AttemptStatus?> KeepMoreAsync(Serve offer, NbdServer server, CancellationToken cancellation) =>
        await _isTcp.Task.WaitAsync(cancellation) ? await KeepAsync(offer, server, cancellation) : null;

    private static NbdServer Server(INbdExport export) =>
        new([export], new NbdServerOptions { Workers = Workers, ConnectionRequests = MostUnderWay });

    private async Task<AttemptStatus?> OfferHashesAsync(Serve offer, CancellationToken cancellation)
    {
        try
        {
            using FrozenMap map = await Hashes!(cancellation);
            using NbdServer server = Server(map.Export);
            return await KeepAsync(offer, server, cancellation, () => map.IsTaken);
        }
        catch (DiskSyncException exception)
        {
            // The guest is served all the same.
            tell($"{exception.Message}. What the destination fetches is not compared");
            return null;
        }
    }

    /// <summary>Keeps one connection, until its work is done where that has an end.</summary>
    private async Task<AttemptStatus?> KeepAsync(Serve offer, NbdServer server, CancellationToken cancellation, Func<bool>? isDone = null)
    {
        TimeSpan pause = options.FirstPause;
        while (true)
        {
            long start = options.Clock.GetTimestamp();
            try
            {
                if (await ServeOnceAsync(offer, server, cancellation) is { } answer)
                {
                    return answer;
                }

                if (isDone?.Invoke() == true)
                {
                    return null;
                }
            }
            catch (Exception exception) when (exception is DiskSyncException or IOException or NbdProtocolException && !cancellation.IsCancellationRequested)
            {
                Lost(exception.Message);
            }

            pause = options.Clock.GetElapsedTime(start) >= options.Lasting ? options.FirstPause : pause;
            await Task.Delay(pause, options.Clock, cancellation);
            pause = TimeSpan.FromTicks(Math.Min(2 * pause.Ticks, options.LongestPause.Ticks));
        }
    }

    /// <returns>How the attempt stands, where nothing is to be served any more; null where a connection was served and has ended in order.</returns>
    private async Task<AttemptStatus?> ServeOnceAsync(Serve offer, NbdServer server, CancellationToken cancellation)
    {
        ITransport transport = await dial(cancellation);
        _isTcp.TrySetResult(transport is StreamTransport { Socket: not null });
        await using Connection connection = new(transport, options.Connection);
        Guid session = Guid.NewGuid();
        await connection.OpenAsync(
            new Hello(session, 0, (ulong)(SourceSession.Supported & ~Capability.Connections), WireLimits.MaxBody, Environment.MachineName, ProductVersion.Text),
            cancellation);
        if ((await connection.ReceiveAsync(cancellation)).Message is not Welcome welcome || welcome.SessionId != session)
        {
            throw new TransportLostException($"{connection.Peer} did not answer the greeting with a welcome");
        }

        if (!((Capability)welcome.Capabilities).HasFlag(Capability.Tail))
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"the receiver at {connection.Peer} takes no on-demand tail",
                "Start one there of the version, and with the state folder, that took the image.");
        }

        await connection.HushAsync(cancellation);
        await connection.SendAsync(FrameHeader.NoImage, offer, cancellation);
        ReceivedFrame answer = await connection.ReceiveAsync(cancellation);
        switch (answer.Message)
        {
            case AttemptStatus status when status.Attempt == offer.Attempt:
                return status;
            case Serving serving when serving.Attempt == offer.Attempt && serving.Epoch == offer.Epoch:
                Found(offer.Use);
                try
                {
                    Socket? socket = offer.Use == ServeUse.Urgent ? (transport as StreamTransport)?.Socket : null;
                    await ServeAsync(connection.Detach(), socket, server, cancellation);
                }
                finally
                {
                    Ended(offer.Use);
                }

                return null;
            default:
                throw new TransportLostException($"{connection.Peer} answered the offer to serve with {answer.Type}");
        }
    }

    private async Task ServeAsync(TransportStream stream, Socket? urgent, NbdServer server, CancellationToken cancellation)
    {
        long counted = 0;
        TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Thread thread = new(() =>
        {
            try
            {
                server.Serve(stream, isPrivate: true);
                ended.SetResult();
            }
            catch (Exception exception)
            {
                ended.SetException(exception);
            }
        })
        { IsBackground = true, Name = "tail" };
        thread.Start();

        // Never before the thread has ended: it reads the frozen image.
        while (!ended.Task.IsCompleted)
        {
            long before = Interlocked.Read(ref _served);
            await Task.WhenAny(ended.Task, Task.Delay(TimeSpan.FromSeconds(1), cancellation));
            counted = Count(stream, counted);
            if (urgent is not null && Interlocked.Read(ref _served) - before > FastBytes)
            {
                // Not on a slow way, whose queue such an answer would overflow.
                TcpSocketSettings.PreferShortAnswers(urgent);
                urgent = null;
            }

            if (cancellation.IsCancellationRequested || stream.Silence > options.SilenceLimit)
            {
                await stream.DisposeAsync();
                await Task.WhenAny(ended.Task);
            }
        }

        cancellation.ThrowIfCancellationRequested();
        await ended.Task;
    }

    private long Count(TransportStream stream, long counted)
    {
        long written = stream.Written;
        Interlocked.Add(ref _served, written - counted);
        return written;
    }

    private void Found(ServeUse use)
    {
        lock (_gate)
        {
            _isLinked |= use == ServeUse.Urgent;
            if (_trouble.Length > 0)
            {
                _trouble = string.Empty;
                tell($"{image.Name}: the destination is connected again");
            }
        }
    }

    private void Ended(ServeUse use)
    {
        lock (_gate)
        {
            _isLinked &= use != ServeUse.Urgent;
        }
    }

    private void Lost(string why)
    {
        lock (_gate)
        {
            if (!string.Equals(_trouble, why, StringComparison.Ordinal))
            {
                _trouble = why;
                tell($"{image.Name}: {why}; the guest there waits for what it has not fetched. Trying again");
            }
        }
    }
}
