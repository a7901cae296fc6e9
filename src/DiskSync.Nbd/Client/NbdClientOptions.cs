using System.Net.Security;

namespace DiskSync.Nbd.Client;

/// <summary>How a client asks.</summary>
public sealed class NbdClientOptions
{
    /// <summary>By which name the export is asked for; an empty one means the server's default.</summary>
    public string ExportName { get; init; } = string.Empty;

    /// <summary>How TLS is done; null for a connection in the clear. Where it is set, nothing is said without it.</summary>
    public SslClientAuthenticationOptions? Tls { get; init; }

    /// <summary>Which kinds of block status are wanted, as namespace:name; those that the server does not have are left out.</summary>
    public IReadOnlyList<string> StatusKinds { get; init; } = [NbdClient.Allocation];

    /// <summary>The most connections; more than one only where the export allows it.</summary>
    public int Connections { get; init; } = 1;

    /// <summary>Bytes of reads and writes that all connections together may have under way; one that is longer goes alone.</summary>
    public long InFlightBytes { get; init; } = 64 << 20;

    /// <summary>Requests that all connections together may have under way.</summary>
    public int InFlightRequests { get; init; } = 64;

    /// <summary>How long making a connection and negotiating may take.</summary>
    public TimeSpan NegotiationLimit { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long a read, a write or a question may stay unanswered before the server counts as gone.</summary>
    public TimeSpan ReplyLimit { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The same for what may rightly take long: flushes, zeros, trims and all that is to be durable at once.</summary>
    public TimeSpan FlushLimit { get; init; } = TimeSpan.FromMinutes(10);
}
