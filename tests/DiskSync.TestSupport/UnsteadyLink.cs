using System.Net;
using System.Net.Sockets;

namespace DiskSync.TestSupport;

/// <summary>A stretch of network on loopback, or between Unix sockets, that can be cut, stalled and mended at any time.</summary>
/// <remarks>Thread safe. Cut, connections are reset, and new ones end at once; stalled, nothing passes and nobody is told.</remarks>
public sealed class UnsteadyLink : IDisposable
{
    private readonly Socket _listener;
    private readonly Func<EndPoint> _target;
    private readonly List<Socket> _sockets = [];
    private volatile TaskCompletionSource? _stalled;
    private volatile bool _isDown;
    private long _passed;

    /// <summary>Begins to pass connections on.</summary>
    /// <param name="target">The port on 127.0.0.1 that they go to now.</param>
    public UnsteadyLink(Func<int> target)
        : this(new IPEndPoint(IPAddress.Loopback, 0), () => new IPEndPoint(IPAddress.Loopback, target()))
    {
    }

    /// <summary>Begins to pass connections on between Unix sockets.</summary>
    /// <param name="path">Where it listens.</param>
    /// <param name="target">Where the connections go to.</param>
    public UnsteadyLink(string path, string target)
        : this(new UnixDomainSocketEndPoint(path), () => new UnixDomainSocketEndPoint(target))
    {
    }

    private UnsteadyLink(EndPoint near, Func<EndPoint> target)
    {
        _target = target;
        _listener = NewSocket(near.AddressFamily);
        _listener.Bind(near);
        _listener.Listen();
        _ = AcceptAsync();
    }

    /// <summary>The port on 127.0.0.1 to connect to.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    /// <summary>Bytes that have passed, both ways.</summary>
    public long Passed => Interlocked.Read(ref _passed);

    /// <summary>Bytes a second that pass each way, about; 0 for as many as can.</summary>
    public long Rate { get; set; }

    /// <summary>Resets all connections, and lets none through until it is mended.</summary>
    public void Cut()
    {
        _isDown = true;
        Reset();
    }

    /// <summary>Lets nothing through any more, without a word to anybody.</summary>
    public void Stall() => _stalled ??= new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Lets everything through.</summary>
    public void Mend()
    {
        _isDown = false;
        TaskCompletionSource? stalled = _stalled;
        _stalled = null;
        stalled?.TrySetResult();
    }

    /// <summary>Resets all connections; new ones pass.</summary>
    public void Reset()
    {
        lock (_sockets)
        {
            _sockets.ForEach(s => s.Close(0));
            _sockets.Clear();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _listener.Dispose();
        Cut();
        _stalled?.TrySetResult();
    }

    private static Socket NewSocket(AddressFamily family) => new(
        family, SocketType.Stream, family == AddressFamily.Unix ? ProtocolType.Unspecified : ProtocolType.Tcp);

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                Socket near = await _listener.AcceptAsync();
                _ = ServeAsync(near);
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The test has ended.
        }
    }

    private async Task ServeAsync(Socket near)
    {
        EndPoint target = _target();
        Socket far = NewSocket(target.AddressFamily);
        lock (_sockets)
        {
            _sockets.AddRange([near, far]);
        }

        try
        {
            if (_isDown)
            {
                throw new SocketException((int)SocketError.NetworkUnreachable);
            }

            await far.ConnectAsync(target);
            await Task.WhenAll(PumpAsync(near, far), PumpAsync(far, near));
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // Cut, or nobody listens at the target.
        }

        near.Close(0);
        far.Close(0);
    }

    private async Task PumpAsync(Socket from, Socket to)
    {
        byte[] buffer = new byte[64 << 10];
        try
        {
            int read;
            while ((read = await from.ReceiveAsync(buffer)) > 0)
            {
                if (_stalled is { } stalled)
                {
                    await stalled.Task;
                }

                if (Rate > 0)
                {
                    await Task.Delay(TimeSpan.FromSeconds((double)read / Rate));
                }

                for (int sent = 0; sent < read;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, read - sent));
                }

                Interlocked.Add(ref _passed, read);
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // Cut: the other way ends too.
            from.Close(0);
            to.Close(0);
        }
    }
}
