using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace DiskSync.Formats.Peers;

/// <summary>What an entry of the peers file is found by: a host, or a host and the port of one receiver.</summary>
/// <remarks>Immutable, compared by value; host names are in lower case, addresses in their shortest form. FORMAT.md, "Name".</remarks>
public sealed record PeerName
{
    /// <summary>The longest host name, RFC 1035 section 2.3.4 without the final dot.</summary>
    public const int MaxHost = 253;

    private PeerName(string host, int? port)
    {
        Host = host;
        Port = port;
    }

    /// <summary>The host name or address, without brackets.</summary>
    public string Host { get; }

    /// <summary>The port of the receiver that the entry is for; null for the host itself.</summary>
    public int? Port { get; }

    /// <summary>The name of the host itself.</summary>
    public PeerName WithoutPort => Port is null ? this : new(Host, null);

    /// <summary>Makes the name of a receiver.</summary>
    /// <param name="host">A host name or address without brackets.</param>
    /// <param name="port">1 to 65535.</param>
    /// <returns>Null where the host can be none.</returns>
    public static PeerName? Of(string host, int port) =>
        TryParseHost(host) is { } canonical && port is > 0 and <= ushort.MaxValue ? new(canonical, port) : null;

    /// <summary>Reads HOST, HOST:PORT, an IPv6 address, [ADDRESS] or [ADDRESS]:PORT.</summary>
    /// <returns>Null where the text is none of them.</returns>
    public static PeerName? TryParse(string text)
    {
        if (text.StartsWith('['))
        {
            int end = text.IndexOf(']', StringComparison.Ordinal);
            if (end < 0 || TryParseAddress(text[1..end], AddressFamily.InterNetworkV6) is not { } address)
            {
                return null;
            }

            return end == text.Length - 1 ? new(address, null)
                : text[end + 1] == ':' && TryParsePort(text.AsSpan(end + 2)) is { } bracketPort ? new(address, bracketPort)
                : null;
        }

        int colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0 || colon != text.LastIndexOf(':'))
        {
            return TryParseHost(text) is { } host ? new(host, null) : null;
        }

        return TryParseHost(text[..colon]) is { } named && TryParsePort(text.AsSpan(colon + 1)) is { } port
            ? new(named, port)
            : null;
    }

    /// <summary>Reads a port.</summary>
    /// <returns>Null where it is not 1 to 65535 in digits alone.</returns>
    public static int? TryParsePort(ReadOnlySpan<char> text) =>
        ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ushort port) && port > 0 ? port : null;

    /// <summary>The name as it is written: an IPv6 address always in brackets.</summary>
    public override string ToString()
    {
        string host = Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host;
        return Port is null ? host : string.Create(CultureInfo.InvariantCulture, $"{host}:{Port}");
    }

    private static string? TryParseHost(string text)
    {
        if (text.Contains(':', StringComparison.Ordinal))
        {
            return TryParseAddress(text, AddressFamily.InterNetworkV6);
        }

        if (text.Length is 0 or > MaxHost || text[0] is '-' or '.')
        {
            return null;
        }

        foreach (char letter in text)
        {
            if (!char.IsAsciiLetterOrDigit(letter) && letter is not ('-' or '.' or '_'))
            {
                return null;
            }
        }

        return text.ToLowerInvariant();
    }

    private static string? TryParseAddress(string text, AddressFamily family) =>
        !text.Contains('%', StringComparison.Ordinal) && IPAddress.TryParse(text, out IPAddress? address) && address.AddressFamily == family
            ? address.ToString()
            : null;
}
