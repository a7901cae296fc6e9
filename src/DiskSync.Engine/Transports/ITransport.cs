using System.IO.Pipelines;

namespace DiskSync.Engine.Transports;

/// <summary>A pair of byte streams to a peer; it knows nothing of the protocol that runs over it.</summary>
/// <remarks>
/// The owner disposes it; <see cref="Input"/> has one reader and <see cref="Output"/> one writer at a time.
/// Back-pressure is the pipe's: a flush of <see cref="Output"/> waits while the peer does not read.
/// </remarks>
public interface ITransport : IAsyncDisposable
{
    /// <summary>Bytes from the peer.</summary>
    PipeReader Input { get; }

    /// <summary>Bytes to the peer.</summary>
    PipeWriter Output { get; }

    /// <summary>The peer as the user named it, for messages.</summary>
    string Peer { get; }

    /// <summary>
    /// Who the peer has proven to be: the fingerprint of its key, or empty where the transport itself says who may use
    /// it (ssh, a socket's mode) or nobody asks (plain TCP).
    /// </summary>
    string PeerIdentity => string.Empty;

    /// <summary>
    /// Whether many bytes of <see cref="Input"/> may be waited for at once. Not of a bounded pipe in memory: its writer
    /// would wait for the reader, which waits for the writer.
    /// </summary>
    bool CanWaitForMany => false;

    /// <summary>Bytes that have reached the peer's host; null where only the protocol above knows.</summary>
    long? BytesDelivered => null;

    /// <summary>How long the peer may take until its first bytes arrive; ssh may be asking for a passphrase.</summary>
    TimeSpan HandshakeTimeout { get; }

    /// <summary>Breaks both directions at once; pending reads and writes fail or end. May be called at any time, from any thread.</summary>
    void Abort();

    /// <summary>What the transport itself knows about a failure (a child's exit code and last words), or empty.</summary>
    Task<string> DiagnoseAsync();
}
