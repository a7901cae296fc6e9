using System.Net;
using System.Net.Sockets;

namespace DiskSync.TestSupport;

/// <summary>A stretch of network on loopback: passes connections on, keeps what it has seen, and can be cut.</summary>
/// <remarks>What real sockets and TLS need in place of <see cref="DelayingProxy"/>.</remarks>
public sealed class TcpRelay : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly IPEndPoint _target;
    private readonly List<Socket> _sockets = [];
    private readonly MemoryStream _seen = new();
    private long _cutAfter;

    /// <summary>Begins to pass connections on.</summary>
    /// <param name="target">The port on 127.0.0.1 that they go to.</param>
    /// <param name="cutAfter">How many bytes go there before every connection is cut for good.</param>
    public TcpRelay(int target, long cutAfter = long.MaxValue)
    {
        _target = new IPEndPoint(IPAddress.Loopback, target);
        _cutAfter = cutAfter;
        _listener.Start();
        _ = AcceptAsync();
    }

    /// <summary>The port on 127.0.0.1 to connect to.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Everything that went either way so far.</summary>
    public byte[] Seen
    {
        get
        {
            lock (_seen)
            {
                return _seen.ToArray();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _listener.Dispose();
        Cut();
    }

    private void Cut()
    {
        lock (_sockets)
        {
            // A reset, as where a machine has lost its memory of the connection.
            _sockets.ForEach(s => s.Close(0));
            _sockets.Clear();
        }
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                Socket near = await _listener.AcceptSocketAsync();
                Socket far = new(SocketType.Stream, ProtocolType.Tcp);
                lock (_sockets)
                {
                    _sockets.AddRange([near, far]);
                }

                await far.ConnectAsync(_target);
                _ = PumpAsync(near, far, counts: true);
                _ = PumpAsync(far, near, counts: false);
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The test has ended, or nobody listens at the target.
            Cut();
        }
    }

    private async Task PumpAsync(Socket from, Socket to, bool counts)
    {
        byte[] buffer = new byte[64 << 10];
        try
        {
            int read;
            while ((read = await from.ReceiveAsync(buffer)) > 0)
            {
                lock (_seen)
                {
                    _seen.Write(buffer, 0, read);
                }

                int passed = counts ? (int)Math.Min(read, Math.Max(0, _cutAfter)) : read;
                for (int sent = 0; sent < passed;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, passed - sent));
                }

                if (counts && (_cutAfter -= passed) <= 0)
                {
                    _listener.Stop();
                    Cut();
                    return;
                }
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // Cut.
        }
    }
}
