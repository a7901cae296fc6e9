using DiskSync.Engine.Transports;
using DiskSync.Formats.Wire;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Engine.Replication;

/// <summary>Opens the connections of one session, each under a number of its own.</summary>
/// <remarks>Thread safe. A number is never used twice: the destination may still be ending the connection that had it.</remarks>
/// <param name="sessionId">The session.</param>
/// <param name="options">The limits of each connection.</param>
/// <param name="onProgress">Called with the destination's progress.</param>
/// <param name="more">Where further connections come from; null where there are none.</param>
internal sealed class LaneOpener(
    Guid sessionId, ConnectionOptions options, Action<ushort, Formats.Wire.Messages.Progress>? onProgress, MoreConnections? more)
{
    private int _next;

    /// <summary>Where further connections come from.</summary>
    public MoreConnections? More => more;

    /// <summary>What all of them are held to together; null for nothing.</summary>
    public RateLimiter? Limiter => options.Limiter;

    /// <summary>Opens the session's next connection over a transport of its own.</summary>
    /// <exception cref="DiskSyncException">It cannot be reached, or the destination refuses.</exception>
    public async Task<SourceLane> OpenAsync(CancellationToken cancellationToken)
    {
        if (more is null || Volatile.Read(ref _next) > ushort.MaxValue)
        {
            throw new TransportLostException("no further connection can be opened", "Run the same command again.");
        }

        return await OpenAsync(await more.Dial(cancellationToken), cancellationToken);
    }

    /// <summary>Opens the session's next connection.</summary>
    /// <param name="transport">Owned from now on, also when the handshake fails.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public Task<SourceLane> OpenAsync(ITransport transport, CancellationToken cancellationToken) => SourceLane.OpenAsync(
        transport,
        new Hello(
            sessionId,
            (ushort)(Interlocked.Increment(ref _next) - 1),
            (ulong)(more is null ? SourceSession.Supported & ~Capability.Connections : SourceSession.Supported),
            WireLimits.MaxBody,
            Environment.MachineName,
            ProductVersion.Text),
        options,
        onProgress,
        cancellationToken);
}
