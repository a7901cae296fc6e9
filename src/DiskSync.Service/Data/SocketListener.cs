using System.Globalization;
using System.Net;
using System.Net.Sockets;
using DiskSync.Engine.Transports;
using Microsoft.AspNetCore.Connections;

namespace DiskSync.Service.Data;

/// <summary>Accepts TCP connections for Kestrel, in place of its own socket transport.</summary>
/// <remarks>
/// Kestrel's own puts a pipe of 4 KiB blocks between the socket and whoever reads, which suits many small requests; for
/// images it cost a fifth of the processor time of a transfer over TLS (docs/dependencies.md, "Measured").
/// </remarks>
internal sealed class SocketListener : IConnectionListener
{
    private const int Backlog = 512;
    private static readonly TimeSpan OutOfFilesPause = TimeSpan.FromMilliseconds(100);
    private readonly Socket _socket;
    private long _accepted;

    /// <summary>Binds and listens.</summary>
    /// <exception cref="AddressInUseException">Somebody listens there.</exception>
    /// <exception cref="SocketException">The address cannot be had.</exception>
    public SocketListener(IPEndPoint endpoint)
    {
        _socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (endpoint.Address.Equals(IPAddress.IPv6Any))
            {
                _socket.DualMode = true;
            }

            TcpSocketSettings.Apply(_socket);
            _socket.Bind(endpoint);
            _socket.Listen(Backlog);
        }
        catch (SocketException exception)
        {
            _socket.Dispose();
            if (exception.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                throw new AddressInUseException(exception.Message, exception);
            }

            throw;
        }
    }

    /// <inheritdoc/>
    public EndPoint EndPoint => _socket.LocalEndPoint!;

    /// <inheritdoc/>
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            try
            {
                Socket accepted = await _socket.AcceptAsync(cancellationToken);
                return Wrap(accepted);
            }
            catch (Exception exception) when (exception is ObjectDisposedException
                or SocketException { SocketErrorCode: SocketError.OperationAborted })
            {
                // Unbound: Kestrel's sign that nothing more will come.
                return null;
            }
            catch (SocketException)
            {
                // A connection that was gone before it was taken, or no file left for it. Whoever listens goes on.
                await Task.Delay(OutOfFilesPause, cancellationToken);
            }
        }
    }

    /// <inheritdoc/>
    public ValueTask UnbindAsync(CancellationToken cancellationToken = default) => DisposeAsync();

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }

    private SocketConnection Wrap(Socket accepted)
    {
        try
        {
            return new SocketConnection(
                accepted, Interlocked.Increment(ref _accepted).ToString(CultureInfo.InvariantCulture));
        }
        catch
        {
            accepted.Dispose();
            throw;
        }
    }
}
