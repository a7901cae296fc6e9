using System.Net.Sockets;
using DiskSync.Codecs;
using DiskSync.Engine.Dirty;
using DiskSync.Engine.Tracking;
using DiskSync.Formats;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.ExportControl;

namespace DiskSync.Engine.Exports.Lending;

/// <summary>An image that an export of this host has lent: a migration's end of the control connection.</summary>
/// <remarks>
/// Thread safe: one request at a time. A request that failed ends it for good: what was taken and did not arrive is lost, so
/// nothing it says is to be trusted any more (safety rule 6). Disposing gives the image back; who owns it then, the journal says.
/// </remarks>
public sealed class BorrowedImage : IWriteTracking
{
    private const int BusyPatienceMs = 2000;
    private const int BusyPollMs = 100;

    private readonly ControlChannel _channel;
    private readonly Lent _lent;
    private readonly Lock _lock = new();
    private string _broken = string.Empty;

    private BorrowedImage(ControlChannel channel, Lent lent)
    {
        _channel = channel;
        _lent = lent;
    }

    /// <inheritdoc/>
    public string Name => "write tracking of the export";

    /// <inheritdoc/>
    public bool IsExport => true;

    /// <summary>The image's real path.</summary>
    public string Path => _lent.Image;

    /// <inheritdoc/>
    public Hash256 Baseline => _lent.Baseline;

    /// <summary>Why nothing that this says is to be trusted any more, or empty.</summary>
    public string Broken
    {
        get
        {
            lock (_lock)
            {
                return _broken;
            }
        }
    }

    /// <summary>Borrows an image where an export of this host offers it; one that is busy is asked again for a moment.</summary>
    /// <param name="socketPath">Where that export listens.</param>
    /// <param name="image">The image's real path.</param>
    /// <param name="length">Its length as the borrower sees it.</param>
    /// <param name="borrower">Who asks and for what, for messages.</param>
    /// <returns>Null where no export listens.</returns>
    /// <exception cref="DiskSyncException">The export refuses, or does not answer.</exception>
    public static BorrowedImage? TryBorrow(string socketPath, string image, long length, string borrower)
    {
        // An export needs a moment to find out that the migration before this one has ended.
        long start = Environment.TickCount64;
        while (true)
        {
            try
            {
                return TryOnce(socketPath, image, length, borrower);
            }
            catch (DiskSyncException exception) when (exception.Kind == FailureKind.Preflight && Environment.TickCount64 - start < BusyPatienceMs)
            {
                Thread.Sleep(BusyPollMs);
            }
        }
    }

    private static BorrowedImage? TryOnce(string socketPath, string image, long length, string borrower)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(socketPath));
        }
        catch (Exception exception) when (exception is SocketException or ArgumentException)
        {
            // No such path, or one that a killed export has left.
            socket.Dispose();
            return null;
        }

        ControlChannel channel = new(socket);
        try
        {
            channel.Send(new LendRequest(borrower));
            switch (channel.Receive(ControlChannel.Patience))
            {
                case Lent lent when lent.Image == image && lent.Length == (ulong)length:
                    return new BorrowedImage(channel, lent);
                case Lent lent:
                    throw new DiskSyncException(
                        FailureKind.Source,
                        $"source {image} ({length} bytes): its export serves {lent.Image} ({lent.Length} bytes)",
                        "Stop the export and start it again.");
                case Refusal refusal:
                    throw new DiskSyncException(FailureKind.Preflight, refusal.Message, refusal.Advice);
                default:
                    throw Silent(image, "it ended the connection");
            }
        }
        catch (Exception exception) when (exception is IOException or FormatViolationException)
        {
            channel.Dispose();
            throw Silent(image, exception.Message);
        }
        catch
        {
            channel.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public long TakeInto(DirtyBitmap bitmap, BlockGeometry geometry) => Take(DirtySince.LastTaken, bitmap, geometry);

    /// <inheritdoc/>
    public long DirtyBytes() => (long)AskedLoad().Dirty;

    /// <inheritdoc/>
    public long SinceBaselineInto(DirtyBitmap bitmap, BlockGeometry geometry) => Take(DirtySince.Baseline, bitmap, geometry);

    /// <inheritdoc/>
    public void Fence(TimeSpan patience)
    {
        if (!Ask<Fenced>(new FenceWrites((uint)patience.TotalMilliseconds)).IsDrained)
        {
            throw new DiskSyncException(
                FailureKind.Source,
                $"source {Path}: a write that its export has under way did not end within {patience.TotalSeconds:0.#} s",
                "Look at the storage below it, then run the migrate again; the machine goes on here.");
        }
    }

    /// <inheritdoc/>
    public void Release() => _ = Ask<Done>(new ReleaseWrites());

    /// <inheritdoc/>
    public bool CanSlow => true;

    /// <inheritdoc/>
    public void Slow(double rate, TimeSpan ceiling) => _ = Ask<Done>(new SlowWrites(
        double.IsInfinity(rate) ? 0 : (ulong)Math.Max(1, rate), (uint)ceiling.TotalMilliseconds));

    /// <inheritdoc/>
    public WriteLoad Load()
    {
        Load load = AskedLoad();
        return new WriteLoad((long)load.Written, load.Latencies);
    }

    /// <inheritdoc/>
    public void Dispose() => _channel.Dispose();

    private static DiskSyncException Silent(string image, string why) => new(
        FailureKind.Source,
        $"source {image}: its export does not answer ({why})",
        "Look at that export ('disksync status'), then run the command again.");

    private Load AskedLoad() => Ask<Load>(new AskLoad());

    private long Take(DirtySince since, DirtyBitmap bitmap, BlockGeometry geometry)
    {
        lock (_lock)
        {
            ControlMessage message = Exchange(new TakeDirty(since));
            long parts = 0;
            uint chunks = 0;
            try
            {
                for (; message is DirtyBits bits; chunks++)
                {
                    parts += DirtyMap.MarkInto(new DirtyChunk((int)bits.Chunk, bits.Words), bitmap, geometry);
                    message = Next();
                }
            }
            catch (ArgumentException exception)
            {
                throw Break(exception.Message);
            }

            return message is DirtyEnd end && end.Chunks == chunks
                ? parts * DirtyMap.Precision
                : throw Break($"{chunks} dirty chunks, then {message.GetType().Name}");
        }
    }

    private TAnswer Ask<TAnswer>(ControlMessage request)
        where TAnswer : ControlMessage
    {
        lock (_lock)
        {
            ControlMessage answer = Exchange(request);
            return answer as TAnswer ?? throw Break($"{request.GetType().Name} was answered with {answer.GetType().Name}");
        }
    }

    private ControlMessage Exchange(ControlMessage request)
    {
        if (_broken.Length > 0)
        {
            throw Silent(Path, _broken);
        }

        try
        {
            _channel.Send(request);
        }
        catch (IOException exception)
        {
            throw Break(exception.Message);
        }

        ControlMessage answer = Next();
        return answer is Refusal refusal ? throw new DiskSyncException(FailureKind.Source, refusal.Message, refusal.Advice) : answer;
    }

    private ControlMessage Next()
    {
        try
        {
            return _channel.Receive(ControlChannel.Patience) ?? throw Break("it ended the connection");
        }
        catch (Exception exception) when (exception is IOException or FormatViolationException)
        {
            throw Break(exception.Message);
        }
    }

    private DiskSyncException Break(string why)
    {
        _broken = why;
        return Silent(Path, why);
    }
}
