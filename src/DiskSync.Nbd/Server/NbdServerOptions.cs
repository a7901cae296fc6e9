using System.Net.Security;

namespace DiskSync.Nbd.Server;

/// <summary>How a server serves.</summary>
public sealed class NbdServerOptions
{
    /// <summary>How TLS is done; null for none.</summary>
    public SslServerAuthenticationOptions? Tls { get; init; }

    /// <summary>Whether nothing but NBD_OPT_STARTTLS is answered until TLS is there, on connections that are not private.</summary>
    public bool RequiresTls { get; init; }

    /// <summary>Bytes of requests that one connection may have under way; at least the largest request.</summary>
    public long ConnectionBytes { get; init; } = 64 << 20;

    /// <summary>Bytes of requests that all connections together may have under way; at least the largest request.</summary>
    public long TotalBytes { get; init; } = 96 << 20;

    /// <summary>Requests that one connection may have under way.</summary>
    public int ConnectionRequests { get; init; } = 128;

    /// <summary>Threads that wait for the medium.</summary>
    public int Workers { get; init; } = Math.Clamp(4 * Environment.ProcessorCount, 8, 32);

    /// <summary>The most threads for requests that may wait for another host (<see cref="INbdExport.MayWait"/>); made when they are needed.</summary>
    public int Waiters { get; init; } = 512;

    /// <summary>Waits for some tens of microseconds, to let requests gather where there are many; null where nothing can.</summary>
    public Action? Pause { get; init; }

    /// <summary>How long a client may take to negotiate, in all.</summary>
    public TimeSpan NegotiationLimit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a client may leave its replies unread.</summary>
    public TimeSpan SendLimit { get; init; } = TimeSpan.FromMinutes(1);
}
