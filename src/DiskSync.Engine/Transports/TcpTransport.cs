using System.Net.Sockets;
using DiskSync.Formats.Peers;

namespace DiskSync.Engine.Transports;

/// <summary>Connections over TCP to a receiver that listens: with TLS, or plain where the user insists.</summary>
public static class TcpTransport
{
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(30);

    /// <summary>Connects to a receiver.</summary>
    /// <param name="receiver">Its host and port.</param>
    /// <param name="credentials">For TLS; null for plain TCP, where nobody proves anything and everybody on the way can read.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="TransportLostException">Nobody answers there, or it does not speak TLS 1.3.</exception>
    /// <exception cref="DiskSyncException">Its key is not the one that is trusted (kind Preflight).</exception>
    public static async Task<ITransport> ConnectAsync(
        PeerName receiver, TlsCredentials? credentials, CancellationToken cancellationToken)
    {
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(ConnectPatience);
        try
        {
            await socket.ConnectAsync(receiver.Host, receiver.Port!.Value, patience.Token);
            TcpSocketSettings.Apply(socket);
        }
        catch (SocketException exception)
        {
            socket.Dispose();
            throw Unreachable(receiver, exception.Message, exception);
        }
        catch (OperationCanceledException exception)
        {
            socket.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            throw Unreachable(receiver, $"no answer for {ConnectPatience.TotalSeconds:0} s", exception);
        }

        NetworkStream stream = new(socket, ownsSocket: true);
        return credentials is null
            ? new StreamTransport(stream, stream, NameOf(receiver)) { Socket = socket }
            : await TlsClient.HandshakeAsync(stream, receiver, credentials, cancellationToken);
    }

    /// <summary>A receiver's name in messages.</summary>
    internal static string NameOf(PeerName receiver) => $"{DestinationAddress.TcpPrefix}{receiver}";

    private static TransportLostException Unreachable(PeerName receiver, string reason, Exception inner) => new(
        $"cannot connect to the receiver at {NameOf(receiver)}: {reason}",
        $"Start it there with: disksync receive --listen tcp::{receiver.Port} --root DIR; a firewall between may be in the way.",
        inner);
}
