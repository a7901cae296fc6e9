namespace DiskSync.Engine.Replication;

/// <summary>Limits of a connection; PROTOCOL.md, "Keep-alive".</summary>
public sealed record ConnectionOptions
{
    /// <summary>How long a side stays silent before it sends a Ping.</summary>
    public TimeSpan PingInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the peer may be silent before the connection counts as lost.</summary>
    public TimeSpan SilenceLimit { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long the peer may take for the preamble; null takes the transport's own limit.</summary>
    public TimeSpan? HandshakeTimeout { get; init; }

    /// <summary>The bandwidth limit of what this side sends, shared with its other connections; null for none.</summary>
    public RateLimiter? Limiter { get; init; }

    /// <summary>Where the time that each batch's ack took is noted; null for nowhere.</summary>
    public AckDelays? AckDelays { get; init; }
}
