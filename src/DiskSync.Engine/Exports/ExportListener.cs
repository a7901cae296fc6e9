using System.Net;
using System.Net.Sockets;
using DiskSync.Engine.Transports;
using DiskSync.Nbd.Server;
using DiskSync.Nbd.Wire;

namespace DiskSync.Engine.Exports;

/// <summary>Accepts NBD clients on Unix sockets and TCP, and serves each with a thread of its own.</summary>
/// <remarks>
/// Threads and not tasks: what is in the page cache is read, and answered, by the thread that took the request.
/// Stopping ends every connection; what clients had begun is finished before <see cref="Dispose"/> returns.
/// </remarks>
public sealed class ExportListener : IDisposable
{
    private const int MostConnections = 256;
    private const int Backlog = 64;
    private const long MillisecondsBetweenRefusals = 10_000;

    private readonly NbdServer _server;
    private readonly Action<string> _warn;
    private readonly Lock _gate = new();
    private readonly List<Socket> _listening = [];
    private readonly List<string> _socketPaths = [];
    private readonly List<Thread> _accepting = [];
    private readonly Dictionary<Thread, Socket> _serving = [];
    private bool _isStopped;
    private int _served;
    private int _refused;
    private long _refusalsToldAt = long.MinValue;

    private ExportListener(NbdServer server, Action<string> warn)
    {
        _server = server;
        _warn = warn;
    }

    /// <summary>Where it listens, with the ports that the system chose.</summary>
    public IReadOnlyList<ListenAddress> Addresses { get; private set; } = [];

    /// <summary>How many connections there have been.</summary>
    public int Served => _served;

    /// <summary>Begins to listen.</summary>
    /// <param name="addresses">Where.</param>
    /// <param name="server">Serves; stays the caller's, who disposes it after this listener.</param>
    /// <param name="warn">Told how connections end that do not end in order; from any thread.</param>
    /// <exception cref="DiskSyncException">An address cannot be had (kind Preflight).</exception>
    public static ExportListener Start(IReadOnlyList<ListenAddress> addresses, NbdServer server, Action<string> warn)
    {
        ArgumentNullException.ThrowIfNull(addresses);
        ExportListener listener = new(server, warn);
        try
        {
            listener.Addresses = [.. addresses.Select(listener.Listen)];
            foreach (Socket socket in listener._listening)
            {
                Thread thread = new(() => listener.Accept(socket)) { IsBackground = true, Name = "nbd accept" };
                listener._accepting.Add(thread);
                thread.Start();
            }

            return listener;
        }
        catch
        {
            listener.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Thread[] serving;
        lock (_gate)
        {
            _isStopped = true;
            serving = [.. _serving.Keys];
            foreach (Socket client in _serving.Values)
            {
                Disconnect(client);
            }
        }

        _listening.ForEach(s => s.Dispose());
        _accepting.ForEach(t => t.Join());
        foreach (Thread thread in serving)
        {
            thread.Join();
        }

        _socketPaths.ForEach(File.Delete);
    }

    private ListenAddress Listen(ListenAddress address)
    {
        if (!address.IsTcp)
        {
            _listening.Add(UnixSocketListener.Listen(address.SocketPath!));
            _socketPaths.Add(Path.GetFullPath(address.SocketPath!));
            return address;
        }

        IPAddress ip = address.Address ?? IPAddress.IPv6Any;
        Socket socket = new(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _listening.Add(socket);
        try
        {
            if (address.Address is null)
            {
                socket.DualMode = true;
            }

            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(new IPEndPoint(ip, address.Port));
            socket.Listen(Backlog);
            return address.WithPort(((IPEndPoint)socket.LocalEndPoint!).Port);
        }
        catch (SocketException exception)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"cannot listen on {address}: {exception.Message}",
                "Choose an address of this host and a port that is free.",
                exception);
        }
    }

    private void Accept(Socket listening)
    {
        while (true)
        {
            Socket client;
            try
            {
                client = listening.Accept();
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                if (_isStopped)
                {
                    return;
                }

                // As when there are too many open files: the next one may fare better, but not at once.
                Thread.Sleep(100);
                continue;
            }

            Thread thread = new(() => Serve(client)) { IsBackground = true, Name = "nbd client" };
            bool isTaken;
            lock (_gate)
            {
                isTaken = !_isStopped && _serving.Count < MostConnections;
                if (isTaken)
                {
                    _serving.Add(thread, client);
                    _served++;
                }
            }

            if (isTaken)
            {
                thread.Start();
            }
            else
            {
                Refuse(client);
            }
        }
    }

    // The protocol has no word for it before the negotiation, for which there is no thread: the client sees its end.
    private void Refuse(Socket client)
    {
        client.Dispose();
        int refused;
        lock (_gate)
        {
            _refused++;
            if (Environment.TickCount64 - MillisecondsBetweenRefusals < _refusalsToldAt)
            {
                return;
            }

            _refusalsToldAt = Environment.TickCount64;
            refused = _refused;
            _refused = 0;
        }

        Warn($"{refused} clients were turned away: there are {MostConnections} connections already; close some, or use fewer for each client");
    }

    private void Serve(Socket client)
    {
        try
        {
            if (client.ProtocolType == ProtocolType.Tcp)
            {
                client.NoDelay = true;
            }

            _server.Serve(new NetworkStream(client, ownsSocket: true), isPrivate: client.AddressFamily == AddressFamily.Unix);
        }
        catch (NbdProtocolException exception)
        {
            Warn($"a client was disconnected: {exception.Message}");
        }
        catch (Exception exception) when (exception is IOException or SocketException or ObjectDisposedException)
        {
            Warn($"a client's connection was lost: {exception.Message}");
        }
        finally
        {
            lock (_gate)
            {
                _serving.Remove(Thread.CurrentThread);
            }
        }
    }

    private void Warn(string message)
    {
        if (!_isStopped)
        {
            _warn(message);
        }
    }

    private static void Disconnect(Socket client)
    {
        try
        {
            client.Shutdown(SocketShutdown.Both);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // It has gone by itself.
        }
    }
}
