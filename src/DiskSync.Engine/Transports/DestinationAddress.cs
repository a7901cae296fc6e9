using System.Net;
using System.Text;
using DiskSync.Engine.Blocks;
using DiskSync.Formats.Peers;

namespace DiskSync.Engine.Transports;

/// <summary>Where a copy goes, as a user writes it: PATH, HOST:PATH (over ssh), unix:SOCKET:NAME, disksync://HOST:PORT/NAME or an NBD URI.</summary>
/// <remarks>
/// As scp does it, a colon before the first slash separates a host from a path; ./a:b is a local path. A disksync:// address
/// is a URL (RFC 3986): its name is percent-decoded and printed encoded again. Immutable.
/// </remarks>
public sealed record DestinationAddress
{
    /// <summary>The port of receivers where none is said: one that IANA has given to nobody.</summary>
    public const int DefaultPort = 7110;

    private const string UnixPrefix = "unix:";
    internal const string TcpPrefix = "disksync://";
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private DestinationAddress(DestinationKind kind, string endpoint, string folder, string name)
    {
        Kind = kind;
        Endpoint = endpoint;
        Folder = folder;
        Name = name;
    }

    /// <summary>How the destination is reached.</summary>
    public DestinationKind Kind { get; }

    /// <summary>The socket's path, the ssh host, or HOST:PORT; empty for a local path.</summary>
    public string Endpoint { get; }

    /// <summary>The receiver's host and port; null where it does not listen on TCP.</summary>
    public PeerName? Receiver { get; private init; }

    /// <summary>The folder that confines the receiver where we start it; empty where a listening receiver has its own.</summary>
    public string Folder { get; }

    /// <summary>The target's name below the folder or the receiver's root, or the NBD URI; empty or ending in a slash for "a folder".</summary>
    public string Name { get; }

    /// <summary>Whether the address names a folder, into which images go under their own names.</summary>
    public bool IsFolder => Kind != DestinationKind.Nbd && (Name.Length == 0 || Name.EndsWith('/'));

    /// <summary>
    /// Whether no network lies between, as far as the address tells: a path, a Unix socket, or this host by the name or the
    /// addresses that every host has for itself. A tunnel may begin there.
    /// </summary>
    public bool StaysOnHost => Kind switch
    {
        DestinationKind.Ssh => IsThisHost(Endpoint[(Endpoint.LastIndexOf('@') + 1)..]),
        DestinationKind.Tcp => IsThisHost(Receiver!.Host),
        _ => true,
    };

    /// <summary>Reads an address.</summary>
    /// <exception cref="DiskSyncException">It cannot be understood (kind Usage).</exception>
    public static DestinationAddress Parse(string text)
    {
        if (text.StartsWith(UnixPrefix, StringComparison.Ordinal))
        {
            int colon = text.IndexOf(':', UnixPrefix.Length);
            return colon > UnixPrefix.Length
                ? new(DestinationKind.UnixSocket, text[UnixPrefix.Length..colon], string.Empty, text[(colon + 1)..])
                : throw Wrong(text, "a socket and a name, as in unix:/run/disksync.sock:vm.img");
        }

        if (text.StartsWith(TcpPrefix, StringComparison.OrdinalIgnoreCase))
        {
            return ParseTcp(text);
        }

        if (NbdImage.IsOne(text))
        {
            // The receiver is in this process, and its one target is the export.
            return new(DestinationKind.Nbd, string.Empty, "/", NbdImage.Parse(text).Text);
        }

        int hostEnd = text.IndexOf(':', StringComparison.Ordinal);
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        if (hostEnd == 0 || text.Length == 0)
        {
            throw Wrong(text, "PATH, HOST:PATH, unix:SOCKET:NAME or disksync://HOST:PORT/NAME");
        }

        if (hostEnd > 0 && (slash < 0 || hostEnd < slash))
        {
            string host = text[..hostEnd];
            if (host.StartsWith('-'))
            {
                throw Wrong(text, "a host that does not begin with a dash");
            }

            (string folder, string name) = Split(text[(hostEnd + 1)..]);
            return new(DestinationKind.Ssh, host, folder, name);
        }

        if (Directory.Exists(text) && !text.EndsWith('/'))
        {
            text += "/";
        }

        (string localFolder, string localName) = Split(text);
        return new(DestinationKind.Local, string.Empty, localFolder, localName);
    }

    /// <summary>The target's name for an image: the address's own, or the image's name inside its folder.</summary>
    public string NameFor(string imagePath) => IsFolder ? Name + NbdImage.FileName(imagePath) : Name;

    /// <summary>The address as its user would write it.</summary>
    public override string ToString() => Kind switch
    {
        DestinationKind.UnixSocket => $"{UnixPrefix}{Endpoint}:{Name}",
        DestinationKind.Tcp => $"{TcpPrefix}{Endpoint}/{string.Join('/', Name.Split('/').Select(Uri.EscapeDataString))}",
        DestinationKind.Nbd => Name,
        DestinationKind.Ssh => $"{Endpoint}:{Path.Join(Folder == "." ? string.Empty : Folder, Name)}",
        _ => Path.Join(Folder == "." ? string.Empty : Folder, Name),
    };

    private static DestinationAddress ParseTcp(string text)
    {
        const string Form = "disksync://HOST/NAME or disksync://HOST:PORT/NAME, an IPv6 address in brackets";
        int slash = text.IndexOf('/', TcpPrefix.Length);
        string authority = slash < 0 ? text[TcpPrefix.Length..] : text[TcpPrefix.Length..slash];

        // An IPv6 address without brackets would leave it open where the port begins.
        bool open = !authority.StartsWith('[') && authority.IndexOf(':', StringComparison.Ordinal) != authority.LastIndexOf(':');
        PeerName host = (open ? null : PeerName.TryParse(authority)) ?? throw Wrong(text, Form);
        PeerName receiver = PeerName.Of(host.Host, host.Port ?? DefaultPort)
            ?? throw Wrong(text, Form);
        string name = slash < 0 ? string.Empty : text[(slash + 1)..];
        return new(DestinationKind.Tcp, receiver.ToString(), string.Empty, Unescape(name) ?? throw Wrong(
            text, "what a URL has to escape as UTF-8 in percent signs: %25 for %, %3F for ?, %23 for #"))
        {
            Receiver = receiver,
        };
    }

    // RFC 3986 section 2.1. A query or a fragment has no meaning here, and a name with "?" would silently be cut.
    private static string? Unescape(string name)
    {
        byte[] bytes = new byte[Encoding.UTF8.GetByteCount(name)];
        int length = 0;
        for (int at = 0; at < name.Length;)
        {
            if (name[at] is '?' or '#')
            {
                return null;
            }

            if (name[at] != '%')
            {
                int run = name.AsSpan(at).IndexOfAny("%?#");
                ReadOnlySpan<char> plain = run < 0 ? name.AsSpan(at) : name.AsSpan(at, run);
                length += Encoding.UTF8.GetBytes(plain, bytes.AsSpan(length));
                at += plain.Length;
                continue;
            }

            if (at + 2 >= name.Length || !char.IsAsciiHexDigit(name[at + 1]) || !char.IsAsciiHexDigit(name[at + 2]))
            {
                return null;
            }

            bytes[length++] = Convert.FromHexString(name.AsSpan(at + 1, 2))[0];
            at += 3;
        }

        try
        {
            return Strict.GetString(bytes, 0, length);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private static (string Folder, string Name) Split(string path)
    {
        // Device names are links (/dev/vg/disk, /dev/disk/by-id/...) to other places of /dev.
        if (path.StartsWith("/dev/", StringComparison.Ordinal))
        {
            return ("/dev", path["/dev/".Length..]);
        }

        int slash = path.LastIndexOf('/');
        return slash switch
        {
            < 0 => (".", path),
            0 => ("/", path[1..]),
            _ => (path[..slash], path[(slash + 1)..]),
        };
    }

    private static DiskSyncException Wrong(string text, string expected) =>
        new(FailureKind.Usage, $"destination '{text}' cannot be understood", $"Write {expected}.");

    private static bool IsThisHost(string host) =>
        host is "localhost" || (IPAddress.TryParse(host, out IPAddress? address) && IPAddress.IsLoopback(address));
}
