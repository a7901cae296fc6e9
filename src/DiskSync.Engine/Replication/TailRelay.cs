using System.Net.Sockets;
using DiskSync.Engine.Exports.Lending;
using DiskSync.Engine.Transports;
using DiskSync.Formats;
using DiskSync.Formats.ExportControl;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Engine.Replication;

/// <summary>Carries a source's bytes to the export of an image that still misses parts, and back; what they mean is those two's affair.</summary>
internal static class TailRelay
{
    private const int BufferBytes = 256 << 10;
    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Answer = TimeSpan.FromSeconds(10);

    /// <summary>Connects to the export, which may be just starting.</summary>
    /// <param name="door">Where it listens.</param>
    /// <param name="offer">What the source offers.</param>
    /// <param name="source">The source, for messages.</param>
    /// <param name="patience">How long to wait for one that does not listen yet.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>The connection, the caller's.</returns>
    /// <exception cref="DiskSyncException">Nobody listens there, or it refuses.</exception>
    public static async Task<Socket> ConnectAsync(TailDoor door, Serve offer, string source, TimeSpan patience, CancellationToken cancellation)
    {
        long giveUp = Environment.TickCount64 + (long)patience.TotalMilliseconds;
        while (true)
        {
            Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(door.SocketPath), cancellation);
                await Task.Run(() => Introduce(socket, offer, source), cancellation);
                return socket;
            }
            catch (Exception exception) when (exception is SocketException or IOException or FormatViolationException)
            {
                socket.Dispose();
                if (Environment.TickCount64 > giveUp)
                {
                    throw new DiskSyncException(
                        FailureKind.Destination,
                        $"destination {door.Image}: no export serves it, and only an export can fetch what it misses",
                        $"Start it on that host: disksync export {door.Image} --incoming --listen ...",
                        exception);
                }
            }
            catch
            {
                socket.Dispose();
                throw;
            }

            await Task.Delay(Again, cancellation);
        }
    }

    /// <summary>Carries bytes until either side ends.</summary>
    /// <param name="source">The source's connection; disposed at the end.</param>
    /// <param name="export">The export's; disposed at the end.</param>
    /// <param name="cancellation">Ends it.</param>
    public static async Task RunAsync(TransportStream source, Socket export, CancellationToken cancellation)
    {
        await using NetworkStream near = new(export, ownsSocket: true);
        await using TransportStream far = source;
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task[] both = [CarryAsync(far, near, ended.Token), CarryAsync(near, far, ended.Token)];
        await Task.WhenAny(both);

        // What one side has said last is through: each direction ends after its last byte. The other has nobody to say it to.
        await ended.CancelAsync();
        await near.DisposeAsync();
        await far.DisposeAsync();
        await Task.WhenAll(both);
    }

    private static void Introduce(Socket socket, Serve offer, string source)
    {
        // It owns the socket only where it is disposed.
        ControlChannel channel = new(socket);
        channel.Send(new OfferTail(offer.Attempt, offer.Epoch, offer.Use, source));
        switch (channel.Receive(Answer))
        {
            case Done:
                socket.ReceiveTimeout = socket.SendTimeout = 0;
                return;
            case Refusal refusal:
                throw new DiskSyncException(FailureKind.Destination, refusal.Message, refusal.Advice);
            default:
                throw new IOException("the export did not answer");
        }
    }

    private static async Task CarryAsync(Stream from, Stream to, CancellationToken cancellation)
    {
        byte[] buffer = new byte[BufferBytes];
        try
        {
            int count;
            while ((count = await from.ReadAsync(buffer, cancellation)) > 0)
            {
                await to.WriteAsync(buffer.AsMemory(0, count), cancellation);
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // Either end has gone, which ends both ways.
        }
    }
}
