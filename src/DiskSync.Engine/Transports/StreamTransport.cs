using System.IO.Pipelines;
using System.Net.Sockets;
using DiskSync.Linux;

namespace DiskSync.Engine.Transports;

/// <summary>A transport over two streams, which may be the same one: a socket, or standard input and output.</summary>
/// <remarks>Owns the streams and disposes them.</remarks>
public sealed class StreamTransport : ITransport
{
    private const int BufferSize = 256 << 10;

    private readonly Stream _input;
    private readonly Stream _output;

    /// <summary>Wraps two streams.</summary>
    /// <param name="input">Bytes from the peer; owned from now on.</param>
    /// <param name="output">Bytes to the peer; owned from now on; may be the same stream.</param>
    /// <param name="peer">The peer, for messages.</param>
    /// <param name="peerIdentity">Who the peer has proven to be, or empty.</param>
    public StreamTransport(Stream input, Stream output, string peer, string peerIdentity = "")
    {
        _input = input;
        _output = output;
        Peer = peer;
        PeerIdentity = peerIdentity;
        Input = new ContiguousPipeReader(input);
        Output = PipeWriter.Create(output, new StreamPipeWriterOptions(minimumBufferSize: BufferSize));
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

    /// <summary>The TCP socket below the streams, to ask how far they have got; stays theirs. Null where there is none.</summary>
    public Socket? Socket { get; init; }

    /// <inheritdoc/>
    public long? BytesDelivered => Socket is null ? null : TcpDelay.Acknowledged(Socket.SafeHandle);

    /// <inheritdoc/>
    public TimeSpan HandshakeTimeout => TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    public void Abort()
    {
        _input.Dispose();
        _output.Dispose();
    }

    /// <inheritdoc/>
    public Task<string> DiagnoseAsync() => Task.FromResult(string.Empty);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _input.DisposeAsync();
        await _output.DisposeAsync();
    }
}
