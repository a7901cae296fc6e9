using DiskSync.Engine.Transports;

namespace DiskSync.Engine.Replication;

/// <summary>How a session gets further connections, and how many it wants.</summary>
/// <param name="Dial">Opens a transport to the receiver that the first one leads to; the session owns what it returns.</param>
public sealed record MoreConnections(Func<CancellationToken, Task<ITransport>> Dial)
{
    /// <summary>The most that a session ever opens at once.</summary>
    public const int Most = 16;

    /// <summary>How many connections to keep open; null lets them grow while the measured goodput grows.</summary>
    public int? Count { get; init; }

    /// <summary>How long a session without a living connection tries to get one back.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);
}
