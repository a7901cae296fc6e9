using System.Net.Sockets;

namespace DiskSync.Engine.Transports;

/// <summary>Connections over Unix sockets.</summary>
public static class UnixSocketTransport
{
    private const int BufferBytes = 1 << 20;

    /// <summary>Connects to a listening receiver.</summary>
    /// <param name="path">The socket's path.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="TransportLostException">Nobody listens there, or this user may not connect.</exception>
    public static async Task<ITransport> ConnectAsync(string path, CancellationToken cancellationToken)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
        }
        catch (Exception exception) when (exception is SocketException or ArgumentException)
        {
            socket.Dispose();
            throw new TransportLostException(
                $"cannot connect to the receiver at unix:{path}: {Reason(path, exception)}",
                $"Start it with: disksync receive --listen unix:{path} --root DIR",
                exception);
        }

        return Wrap(socket, $"unix:{path}");
    }

    // The runtime says "Cannot assign requested address" where there is no such socket.
    private static string Reason(string path, Exception exception) =>
        exception is SocketException && !File.Exists(path) ? "there is no such socket" : exception.Message;

    /// <summary>Makes a transport of a connected socket, which it owns.</summary>
    public static ITransport Wrap(Socket socket, string peer)
    {
        socket.SendBufferSize = BufferBytes;
        socket.ReceiveBufferSize = BufferBytes;
        NetworkStream stream = new(socket, ownsSocket: true);
        return new StreamTransport(stream, stream, peer);
    }
}
