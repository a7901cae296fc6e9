using System.Buffers;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using DiskSync.Engine;
using DiskSync.Engine.Peers;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Transports;
using DiskSync.Formats.Peers;
using DiskSync.Formats.Wire;
using Microsoft.AspNetCore.Connections;

namespace DiskSync.Service.Data;

/// <summary>Kestrel's way to our protocol: finds out who connects, then hands the connection to the receiver or turns it away.</summary>
/// <remarks>
/// TLS is ours and not Kestrel's middleware: this way the plain bytes of a source that speaks no TLS can be answered,
/// a source with the wrong key hears why, and the data is not copied through one more pipe. Thread safe.
/// </remarks>
/// <param name="host">Serves those who are admitted.</param>
/// <param name="options">Whom to admit.</param>
/// <param name="gate">How many.</param>
/// <param name="stop">Ends every session.</param>
internal sealed class DataConnectionHandler(
    ReceiverHost host, DataListenerOptions options, ConnectionGate gate, CancellationToken stop) : ConnectionHandler
{
    // RFC 8446 section 5.1: the first byte of every TLS connection, ContentType handshake.
    private const byte TlsHandshake = 22;

    /// <inheritdoc/>
    public override Task OnConnectedAsync(ConnectionContext connection) => ServeAsync((SocketConnection)connection);

    private async Task ServeAsync(SocketConnection connection)
    {
        string source = $"the source at {Text(connection.RemoteEndPoint)}";
        if (!gate.TryEnter())
        {
            options.Warn($"{source} was cut off: {options.MaxStrangers} connections are waiting to say who they are");
            connection.Abort();
            return;
        }

        bool admitted = false;
        try
        {
            using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
            patience.CancelAfter(options.HandshakeTimeout);
            if (await MeetAsync(connection, source, patience.Token) is not { } transport)
            {
                return;
            }

            admitted = gate.TryAdmit();
            if (!admitted)
            {
                await TurnAwayAsync(transport, Full(), patience.Token);
                return;
            }

            await host.ServeAsync(transport, stop);
        }
        catch (DiskSyncException exception)
        {
            // One session's end is not the receiver's.
            options.Warn(exception.Advice.Length == 0 ? exception.Message : $"{exception.Message.TrimEnd('.')}. {exception.Advice}");
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            options.Warn($"{source} was cut off: it had not said who it is after {options.HandshakeTimeout.TotalSeconds:0.#} s");
            connection.Abort();
        }
        catch (OperationCanceledException)
        {
            // Stopped before a session had begun.
            connection.Abort();
        }
        finally
        {
            gate.Leave(admitted);
        }
    }

    /// <summary>Finds out who connects.</summary>
    /// <returns>The transport of a source to be served; null where there is none, or it was turned away.</returns>
    private async Task<StreamTransport?> MeetAsync(SocketConnection connection, string source, CancellationToken patience)
    {
        // Nothing at all: a port scan or a health check, not worth a line.
        if (await FirstByteAsync(connection.Socket, patience) is not { } first)
        {
            return null;
        }

        if (options.Key is null)
        {
            if (first != TlsHandshake)
            {
                return Plain(connection, source);
            }

            await ShowPlainAsync(connection, patience);
            throw new TransportLostException(
                $"{source} speaks TLS, and this receiver was started with --insecure", "Start it without --insecure.");
        }

        if (first != TlsHandshake)
        {
            await TurnAwayAsync(Plain(connection, source), PlainSource(source), patience);
            return null;
        }

        SslStream tls = await HandshakeAsync(connection, source, options.Key, patience);
        using X509Certificate2? certificate = tls.RemoteCertificate as X509Certificate2;
        Fingerprint? fingerprint = certificate is null ? null : HostKey.FingerprintOf(certificate);
        StreamTransport transport = new(tls, tls, source, fingerprint?.Text ?? string.Empty);
        if (Refusal(connection, source, fingerprint) is not { } why)
        {
            return transport;
        }

        await TurnAwayAsync(transport, why, patience);
        return null;
    }

    private DiskSyncException? Refusal(SocketConnection connection, string source, Fingerprint? fingerprint)
    {
        try
        {
            return fingerprint is not null && options.Peers.FindSource(fingerprint) is not null
                ? null
                : Stranger(connection, source, fingerprint);
        }
        catch (DiskSyncException failure)
        {
            // The file's trouble is for this side alone; the source is a stranger as long as it lasts.
            options.Warn($"{failure.Message}. {failure.Advice}");
            return new DiskSyncException(
                FailureKind.Preflight,
                $"destination: the receiver cannot read whom it trusts, and so admits nobody, {source} included",
                "Look at what the receiver says on its host.");
        }
    }

    // What a source that speaks TLS has to see in order to say in its own words that this side does not.
    private static async Task ShowPlainAsync(SocketConnection connection, CancellationToken patience)
    {
        ArrayBufferWriter<byte> preamble = new();
        Preamble.Write(preamble);
        try
        {
            await connection.Stream.WriteAsync(preamble.WrittenMemory, patience);
            connection.Socket.Shutdown(SocketShutdown.Send);

            // Closing with bytes unread would reset the connection, and the preamble could be lost with it.
            byte[] unread = new byte[4096];
            while (await connection.Stream.ReadAsync(unread, patience) > 0)
            {
            }
        }
        catch (Exception exception) when (exception is IOException or SocketException)
        {
            // It has gone.
        }
    }

    private static StreamTransport Plain(SocketConnection connection, string source) =>
        new(connection.Stream, connection.Stream, source);

    private static async Task<byte?> FirstByteAsync(Socket socket, CancellationToken patience)
    {
        byte[] first = new byte[1];
        try
        {
            return await socket.ReceiveAsync(first, SocketFlags.Peek, patience) == 0 ? null : first[0];
        }
        catch (SocketException)
        {
            return null;
        }
    }

    private static async Task<SslStream> HandshakeAsync(
        SocketConnection connection, string source, HostKey key, CancellationToken patience)
    {
        SslStream tls = new(connection.Stream);
        try
        {
            await tls.AuthenticateAsServerAsync(TlsSettings.Server(key), patience);
            return tls;
        }
        catch (Exception exception)
        {
            await tls.DisposeAsync();
            if (exception is AuthenticationException or IOException)
            {
                throw new TransportLostException(
                    $"{source} ended the TLS handshake: {exception.InnerException?.Message ?? exception.Message}",
                    $"It may trust another key than this receiver's, {key.Fingerprint}; what it printed says more.",
                    exception);
            }

            throw;
        }
    }

    /// <summary>Tells both sides why a source is not served.</summary>
    private async Task TurnAwayAsync(StreamTransport transport, DiskSyncException why, CancellationToken patience)
    {
        options.Warn($"{why.Message}. {why.Advice}");
        try
        {
            await ReceiverHost.TurnAwayAsync(transport, why, patience);
        }
        catch (DiskSyncException)
        {
            // It would not listen; this side has said it above.
        }
    }

    private DiskSyncException Stranger(SocketConnection connection, string source, Fingerprint? fingerprint)
    {
        if (fingerprint is null)
        {
            return new DiskSyncException(
                FailureKind.Preflight,
                $"destination: {source} has shown no key, and this receiver admits only keys that it trusts",
                "Push with disksync, from a host that has a key ('disksync keygen').");
        }

        string address = connection.RemoteEndPoint is IPEndPoint ip ? PeerName.Of(Unmapped(ip.Address).ToString(), 1)?.WithoutPort.ToString() ?? "NAME" : "NAME";
        return new DiskSyncException(
            FailureKind.Preflight,
            $"destination: {source} has the key {fingerprint}, which this receiver (key {options.Key!.Fingerprint}) does not trust",
            $"If 'disksync keygen --show' prints the same at the source, run '{options.Peers.Folder.Command($"trust {address} {fingerprint}")}' "
            + "on the receiver's host, then the same command again.");
    }

    private static DiskSyncException PlainSource(string source) => new(
        FailureKind.Preflight,
        $"destination: {source} speaks plain TCP, and this receiver speaks TLS",
        "Push without --insecure.");

    private DiskSyncException Full() => new(
        FailureKind.Preflight,
        $"destination: this receiver serves {options.MaxConnections} connections already",
        "Wait until others have ended, then run the same command again.");

    private static string Text(EndPoint? endpoint) =>
        endpoint is IPEndPoint ip ? new IPEndPoint(Unmapped(ip.Address), ip.Port).ToString() : "an unknown address";

    // A socket on every address is an IPv6 socket; IPv4 peers then look like ::ffff:192.0.2.7.
    private static IPAddress Unmapped(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
