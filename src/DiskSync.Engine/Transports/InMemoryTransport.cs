using System.IO.Pipelines;

namespace DiskSync.Engine.Transports;

/// <summary>Both ends of a connection inside one process: a copy to a local path, and most tests.</summary>
public sealed class InMemoryTransport : ITransport
{
    private readonly Pipe _incoming;
    private readonly Pipe _outgoing;

    private InMemoryTransport(Pipe incoming, Pipe outgoing, string peer)
    {
        _incoming = incoming;
        _outgoing = outgoing;
        Peer = peer;
    }

    /// <inheritdoc/>
    public PipeReader Input => _incoming.Reader;

    /// <inheritdoc/>
    public PipeWriter Output => _outgoing.Writer;

    /// <inheritdoc/>
    public string Peer { get; }

    /// <inheritdoc/>
    public TimeSpan HandshakeTimeout => TimeSpan.FromSeconds(30);

    /// <summary>Makes two connected ends.</summary>
    /// <param name="bufferBytes">How many bytes may wait in each direction before the writer has to.</param>
    /// <returns>The source's end and the destination's end.</returns>
    public static (ITransport Source, ITransport Destination) CreatePair(int bufferBytes = 4 << 20)
    {
        // The thread pool runs continuations, so that neither side's code runs inside the other's flush.
        PipeOptions options = new(
            pauseWriterThreshold: bufferBytes,
            resumeWriterThreshold: bufferBytes / 2,
            minimumSegmentSize: 64 << 10,
            useSynchronizationContext: false);
        Pipe toDestination = new(options);
        Pipe toSource = new(options);
        return (
            new InMemoryTransport(toSource, toDestination, "in-process destination"),
            new InMemoryTransport(toDestination, toSource, "in-process source"));
    }

    /// <inheritdoc/>
    public void Abort()
    {
        // Only what is safe beside a pending read or flush of the owner: the other end learns it by completion.
        _outgoing.Writer.CancelPendingFlush();
        _incoming.Reader.CancelPendingRead();
    }

    /// <inheritdoc/>
    public Task<string> DiagnoseAsync() => Task.FromResult(string.Empty);

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _outgoing.Writer.Complete();
        _incoming.Reader.Complete();
        return ValueTask.CompletedTask;
    }
}
