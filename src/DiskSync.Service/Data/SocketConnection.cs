using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace DiskSync.Service.Data;

/// <summary>A TCP connection as Kestrel keeps it, whose stream a handler may use directly.</summary>
/// <remarks>
/// Owns the socket. Kestrel disposes it when the handler has returned; an abort may come from any thread. What was
/// written to the stream is the kernel's to deliver, as everywhere else in DiskSync.
/// </remarks>
internal sealed class SocketConnection : DefaultConnectionContext, IDuplexPipe
{
    private readonly CancellationTokenSource _closed = new();
    private readonly Lazy<PipeReader> _input;
    private readonly Lazy<PipeWriter> _output;

    /// <summary>Takes an accepted socket over.</summary>
    /// <param name="socket">Owned from now on.</param>
    /// <param name="id">A name for logs.</param>
    public SocketConnection(Socket socket, string id)
        : base(id)
    {
        Socket = socket;
        Stream = new NetworkStream(socket, ownsSocket: true);
        LocalEndPoint = socket.LocalEndPoint;
        RemoteEndPoint = socket.RemoteEndPoint;
        ConnectionClosed = _closed.Token;
        _input = new Lazy<PipeReader>(() => PipeReader.Create(Stream));
        _output = new Lazy<PipeWriter>(() => PipeWriter.Create(Stream));
        Transport = this;
    }

    /// <summary>The socket, for a look at what has arrived.</summary>
    public Socket Socket { get; }

    /// <summary>The connection's bytes.</summary>
    public Stream Stream { get; }

    /// <inheritdoc/>
    /// <remarks>For handlers that want pipes; ours works on <see cref="Stream"/>.</remarks>
    public PipeReader Input => _input.Value;

    /// <inheritdoc/>
    public PipeWriter Output => _output.Value;

    /// <inheritdoc/>
    public override void Abort(ConnectionAbortedException abortReason) => Stream.Dispose();

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await Stream.DisposeAsync();
        await _closed.CancelAsync();
        _closed.Dispose();
        await base.DisposeAsync();
    }
}
