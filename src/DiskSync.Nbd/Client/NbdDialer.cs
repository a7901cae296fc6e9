using System.Net;
using System.Net.Sockets;

namespace DiskSync.Nbd.Client;

/// <summary>Makes connections to where a URI says that a server is.</summary>
public static class NbdDialer
{
    private const int KeepAliveSeconds = 15;

    /// <summary>What <see cref="NbdClient.Connect"/> takes to connect.</summary>
    public static Func<CancellationToken, Stream> For(NbdUri uri)
    {
        ArgumentNullException.ThrowIfNull(uri);
        return cancellation => uri.SocketPath is { } path
            ? Open(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified), new UnixDomainSocketEndPoint(path), cancellation)
            : Open(Tcp(), new DnsEndPoint(uri.Host!, uri.Port), cancellation);
    }

    private static Socket Tcp()
    {
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

        // A host that has gone without a word is found out about even while nothing is under way.
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, KeepAliveSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, KeepAliveSeconds);
        return socket;
    }

    private static NetworkStream Open(Socket socket, EndPoint endpoint, CancellationToken cancellation)
    {
        try
        {
            socket.ConnectAsync(endpoint, cancellation).AsTask().GetAwaiter().GetResult();
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (OperationCanceledException exception)
        {
            socket.Dispose();
            throw new IOException("it does not answer", exception);
        }
        catch (SocketException exception) when (endpoint is UnixDomainSocketEndPoint && exception.SocketErrorCode == SocketError.AddressNotAvailable)
        {
            // What the runtime calls it; the kernel says ENOENT.
            socket.Dispose();
            throw new IOException($"there is no socket {endpoint}", exception);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
