using DiskSync.Engine.Peers;

namespace DiskSync.Service.Data;

/// <summary>Whom a receiver on TCP lets in, and how many at a time.</summary>
public sealed record DataListenerOptions
{
    /// <summary>This host's key; null for plain TCP, where anybody who reaches the port is served.</summary>
    public required HostKey? Key { get; init; }

    /// <summary>The sources that are admitted over TLS.</summary>
    public required PeerStore Peers { get; init; }

    /// <summary>Told what went wrong with a connection, in a sentence or two; from any thread.</summary>
    public required Action<string> Warn { get; init; }

    /// <summary>How many admitted connections are served at a time.</summary>
    public int MaxConnections { get; init; } = 1024;

    /// <summary>How many connections may be open that have not proven who they are: what a stranger can make us hold.</summary>
    public int MaxStrangers { get; init; } = 64;

    /// <summary>How long a connection may take to prove it, or to be told why it is not admitted.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);
}
