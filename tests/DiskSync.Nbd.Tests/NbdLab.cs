using System.Net.Sockets;
using DiskSync.Nbd.Server;
using DiskSync.Nbd.Wire;
using DiskSync.TestSupport;

namespace DiskSync.Nbd.Tests;

/// <summary>A server on a Unix socket of its own, each client with its own thread.</summary>
internal sealed class NbdLab : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly List<Thread> _serving = [];
    private readonly List<Socket> _sockets = [];
    private readonly Thread _accepting;
    private readonly NbdServer _server;

    public NbdLab(NbdServerOptions? options = null, params INbdExport[] exports)
    {
        _server = new NbdServer(exports, options ?? new NbdServerOptions());
        Socket = _folder.File("s");
        _listener.Bind(new UnixDomainSocketEndPoint(Socket));
        _listener.Listen(32);
        _accepting = new Thread(Accept) { IsBackground = true };
        _accepting.Start();
    }

    public NbdLab(params INbdExport[] exports)
        : this(null, exports)
    {
    }

    /// <summary>The socket's path.</summary>
    public string Socket { get; }

    /// <summary>Where the first export is, for libnbd's and QEMU's tools.</summary>
    public string Uri => $"nbd+unix:///?socket={Socket}";

    /// <summary>How connections ended that did not end in order.</summary>
    public List<Exception> Failures { get; } = [];

    /// <summary>The first of them; a client sees the end of its connection a little before.</summary>
    public Exception WaitForFailure()
    {
        Assert.True(SpinWait.SpinUntil(() => FailureCount() > 0, TimeSpan.FromSeconds(20)), "no connection has failed");
        lock (Failures)
        {
            return Failures[0];
        }
    }

    /// <summary>Connects; the caller disposes.</summary>
    public NbdTestClient Connect()
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(Socket));
        return new NbdTestClient(new NetworkStream(socket, ownsSocket: true));
    }

    private int FailureCount()
    {
        lock (Failures)
        {
            return Failures.Count;
        }
    }

    public string File(string name) => _folder.File(name);

    public void Dispose()
    {
        _listener.Dispose();
        _accepting.Join();
        lock (_sockets)
        {
            // A client that a test has left connected.
            _sockets.ForEach(s => s.Dispose());
        }

        _serving.ForEach(t => Assert.True(t.Join(TimeSpan.FromSeconds(20)), "a connection has not ended"));
        _server.Dispose();
        _folder.Dispose();
    }

    private void Accept()
    {
        while (true)
        {
            Socket client;
            try
            {
                client = _listener.Accept();
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                return;
            }

            lock (_sockets)
            {
                _sockets.Add(client);
            }

            Thread thread = new(() => Serve(client)) { IsBackground = true };
            _serving.Add(thread);
            thread.Start();
        }
    }

    private void Serve(Socket client)
    {
        try
        {
            _server.Serve(new NetworkStream(client, ownsSocket: true));
        }
        catch (Exception exception) when (exception is NbdProtocolException or IOException or ObjectDisposedException)
        {
            lock (Failures)
            {
                Failures.Add(exception);
            }
        }
    }
}
