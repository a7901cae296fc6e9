using System.Globalization;

namespace DiskSync.Nbd.Client;

/// <summary>Where an export is, as URIs say it: nbd://, nbds://, nbd+unix:// and nbds+unix://.</summary>
/// <remarks>
/// Source: the NBD URI specification. Of the TLS parameters those about certificates are known, and
/// tls-certificates=DIR, which libnbd understands too. Without an s there is never TLS: a connection that becomes
/// encrypted only if nobody objects protects nothing. Immutable.
/// </remarks>
public sealed class NbdUri
{
    /// <summary>NBD's port.</summary>
    public const int DefaultPort = 10809;

    private const string UnixSuffix = "+unix";

    private NbdUri(string text, bool isTls, string? host, int port, string? socket, string exportName)
    {
        Text = text;
        IsTls = isTls;
        Host = host;
        Port = port;
        SocketPath = socket;
        ExportName = exportName;
    }

    /// <summary>As it was given.</summary>
    public string Text { get; }

    /// <summary>Whether the connection must be encrypted.</summary>
    public bool IsTls { get; }

    /// <summary>The host, without brackets; null on a Unix socket.</summary>
    public string? Host { get; }

    /// <summary>The port on that host.</summary>
    public int Port { get; }

    /// <summary>The Unix socket; null on TCP.</summary>
    public string? SocketPath { get; }

    /// <summary>By which name the export is asked for; empty for the server's default.</summary>
    public string ExportName { get; }

    /// <summary>A folder with certificates (<see cref="NbdCertificates"/>); null where there is none.</summary>
    public string? CertificateFolder { get; private init; }

    /// <summary>The name that the server's certificate must be for.</summary>
    public string ServerName { get; private init; } = string.Empty;

    /// <summary>Whether a text begins as one of these URIs; it may still be a wrong one.</summary>
    public static bool IsOne(string text) =>
        text is not null && text.Split("://", 2) is [var scheme, _] && scheme.ToLowerInvariant() is "nbd" or "nbds" or "nbd+unix" or "nbds+unix";

    /// <summary>Reads a URI.</summary>
    /// <exception cref="FormatException">It is none, or asks for what is not known here; the message says what is wrong.</exception>
    public static NbdUri Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (!IsOne(text))
        {
            throw new FormatException("it does not begin with nbd://, nbds://, nbd+unix:// or nbds+unix://");
        }

        string[] parts = text.Split("://", 2);
        string scheme = parts[0].ToLowerInvariant();
        bool isUnix = scheme.EndsWith(UnixSuffix, StringComparison.Ordinal);
        bool isTls = scheme.StartsWith("nbds", StringComparison.Ordinal);
        string rest = parts[1];
        if (rest.Contains('#', StringComparison.Ordinal))
        {
            throw new FormatException("it has a fragment (#...); write %23 where # belongs to a name");
        }

        string[] query = rest.Split('?', 2);
        int slash = query[0].IndexOf('/', StringComparison.Ordinal);
        string authority = slash < 0 ? query[0] : query[0][..slash];
        string name = slash < 0 ? string.Empty : Unescape(query[0][(slash + 1)..]);
        Dictionary<string, string> parameters = Parameters(query.Length > 1 ? query[1] : string.Empty, isUnix, isTls);
        string? socket = parameters.GetValueOrDefault("socket");
        if (isUnix && (authority.Length > 0 || string.IsNullOrEmpty(socket)))
        {
            throw new FormatException($"it should be {scheme}:///NAME?socket=/PATH, with three slashes");
        }

        (string? host, int port) = isUnix ? (null, 0) : Authority(authority);
        return new NbdUri(text, isTls, host, port, socket, name)
        {
            CertificateFolder = parameters.GetValueOrDefault("tls-certificates"),
            ServerName = parameters.GetValueOrDefault("tls-hostname") ?? host ?? "localhost",
        };
    }

    /// <inheritdoc/>
    public override string ToString() => Text;

    private static Dictionary<string, string> Parameters(string query, bool isUnix, bool isTls)
    {
        Dictionary<string, string> parameters = [];
        foreach (string part in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] pair = part.Split('=', 2);
            string key = pair[0];
            bool isKnown = key switch
            {
                "socket" => isUnix,
                "tls-certificates" or "tls-hostname" => isTls,
                "tls-type" => isTls && pair[^1] == "x509",
                "tls-verify-peer" => isTls && pair[^1] == "1",
                _ => false,
            };
            if (!isKnown || pair.Length == 1 || !parameters.TryAdd(key, Unescape(pair[1])))
            {
                throw new FormatException($"its part '{part}' does not belong there; known are socket=PATH with +unix, and tls-certificates=DIR and tls-hostname=NAME with nbds");
            }
        }

        return parameters;
    }

    private static (string Host, int Port) Authority(string authority)
    {
        if (authority.Contains('@', StringComparison.Ordinal))
        {
            throw new FormatException("it names a user, which only pre-shared keys would need; those are not known here");
        }

        bool isBracketed = authority.StartsWith('[');
        int end = isBracketed ? authority.IndexOf(']', StringComparison.Ordinal) + 1 : authority.IndexOf(':', StringComparison.Ordinal);
        end = end < 0 ? authority.Length : end;
        string host = Unescape(isBracketed && end > 1 ? authority[1..(end - 1)] : authority[..end]);
        string port = authority[end..];
        if (host.Length == 0 || (isBracketed && end == 0) || (port.Length > 0 && port[0] != ':'))
        {
            throw new FormatException("it names no host");
        }

        if (port.Length <= 1)
        {
            return (host, DefaultPort);
        }

        return int.TryParse(port.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number is > 0 and <= ushort.MaxValue
            ? (host, number)
            : throw new FormatException($"'{port[1..]}' is no port");
    }

    private static string Unescape(string text)
    {
        string plain = Uri.UnescapeDataString(text);

        // Only the first byte of an abstract socket's name may be one.
        return plain.LastIndexOf('\0') <= 0 ? plain : throw new FormatException("it holds a NUL character");
    }
}
