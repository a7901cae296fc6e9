using System.IO.Pipelines;
using System.Net.Security;
using DiskSync.Engine.Transports;
using Microsoft.AspNetCore.Connections;

namespace DiskSync.Service.Data;

/// <summary>A Kestrel connection as the engine's transport, plain or inside TLS.</summary>
/// <remarks>Kestrel owns the connection: it flushes and closes when the handler has returned.</remarks>
internal sealed class ConnectionTransport : ITransport
{
    private const int BufferSize = 256 << 10;

    private static readonly TimeSpan FarewellPatience = TimeSpan.FromSeconds(2);

    private readonly ConnectionContext _connection;
    private readonly SslStream? _tls;

    /// <summary>Wraps a connection.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="tls">TLS over it, handshaken, owned from now on; null for plain TCP.</param>
    /// <param name="peer">The peer, for messages.</param>
    /// <param name="peerIdentity">Who it has proven to be, or empty.</param>
    public ConnectionTransport(ConnectionContext connection, SslStream? tls, string peer, string peerIdentity)
    {
        _connection = connection;
        _tls = tls;
        Peer = peer;
        PeerIdentity = peerIdentity;
        Input = tls is null
            ? connection.Transport.Input
            : new ContiguousPipeReader(tls);
        Output = tls is null
            ? connection.Transport.Output
            : PipeWriter.Create(tls, new StreamPipeWriterOptions(minimumBufferSize: BufferSize, leaveOpen: true));
    }

    /// <inheritdoc/>
    public PipeReader Input { get; }

    /// <inheritdoc/>
    public PipeWriter Output { get; }

    /// <inheritdoc/>
    public string Peer { get; }

    /// <inheritdoc/>
    public string PeerIdentity { get; }

    /// <inheritdoc/>
    public bool CanWaitForMany => true;

    /// <inheritdoc/>
    public TimeSpan HandshakeTimeout => TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    /// <remarks>
    /// Kestrel's own abort is not used: it resets the connection, and what was flushed last (EndAck, the reason for an
    /// Abort) would be lost with it, because a flush here ends in Kestrel's buffer and not in the kernel's.
    /// </remarks>
    public void Abort()
    {
        Input.CancelPendingRead();
        Output.CancelPendingFlush();
    }

    /// <inheritdoc/>
    public Task<string> DiagnoseAsync() => Task.FromResult(string.Empty);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_tls is null)
        {
            return;
        }

        try
        {
            // RFC 8446 section 6.1: the last that TLS says, so that its end is not taken for an attack.
            await _tls.ShutdownAsync().WaitAsync(FarewellPatience);
        }
        catch (Exception exception) when (exception is IOException or InvalidOperationException or OperationCanceledException)
        {
            // The peer is gone; it needs no farewell.
        }
        catch (TimeoutException)
        {
            // It takes nothing.
            _connection.Abort(new ConnectionAbortedException("the peer takes nothing"));
        }

        await _tls.DisposeAsync();
    }
}
