using System.Net.Sockets;

namespace DiskSync.Engine.Transports;

/// <summary>Listens on a Unix socket that only its owner may connect to.</summary>
public sealed class UnixSocketListener : IDisposable
{
    private readonly Socket _socket;
    private readonly string _path;

    private UnixSocketListener(Socket socket, string path)
    {
        _socket = socket;
        _path = path;
    }

    /// <summary>Binds a socket; one that a killed receiver has left is replaced, a living one is not.</summary>
    /// <param name="path">The socket's path.</param>
    /// <exception cref="DiskSyncException">Somebody listens there, or the path cannot be used.</exception>
    public static UnixSocketListener Bind(string path) => new(Listen(path), Path.GetFullPath(path));

    /// <summary>As <see cref="Bind"/>, for those who serve sockets; the caller removes the path after it has closed the socket.</summary>
    /// <param name="path">The socket's path.</param>
    /// <exception cref="DiskSyncException">Somebody listens there, or the path cannot be used.</exception>
    public static Socket Listen(string path)
    {
        string full = Path.GetFullPath(path);
        try
        {
            if (File.Exists(full))
            {
                RemoveIfDead(full);
            }

            Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Bind(new UnixDomainSocketEndPoint(full));

            // Nobody can have connected yet: listening begins after the mode is set.
            File.SetUnixFileMode(full, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            socket.Listen(16);
            return socket;
        }
        catch (Exception exception) when (exception is SocketException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"cannot listen on unix:{path}: {(Directory.Exists(Path.GetDirectoryName(full)) ? exception.Message : "its folder does not exist")}",
                "Choose a path in a folder that you may write, at most 107 bytes long.",
                exception);
        }
    }

    /// <summary>Waits for the next connection.</summary>
    public async Task<ITransport> AcceptAsync(CancellationToken cancellationToken)
    {
        Socket socket = await _socket.AcceptAsync(cancellationToken);
        return UnixSocketTransport.Wrap(socket, "the source");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket.Dispose();
        File.Delete(_path);
    }

    private static void RemoveIfDead(string path)
    {
        using Socket probe = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(path);
            return;
        }

        throw new DiskSyncException(
            FailureKind.Preflight, $"somebody listens on unix:{path} already", "Stop what listens there, or choose another path.");
    }
}
