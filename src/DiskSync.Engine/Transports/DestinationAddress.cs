namespace DiskSync.Engine.Transports;

/// <summary>Where a copy goes, as a user writes it: PATH, HOST:PATH (over ssh), or unix:SOCKET:NAME.</summary>
/// <remarks>
/// As scp does it, a colon before the first slash separates a host from a path; ./a:b is a local path. Immutable.
/// </remarks>
public sealed record DestinationAddress
{
    private const string UnixPrefix = "unix:";

    private DestinationAddress(DestinationKind kind, string endpoint, string folder, string name)
    {
        Kind = kind;
        Endpoint = endpoint;
        Folder = folder;
        Name = name;
    }

    /// <summary>How the destination is reached.</summary>
    public DestinationKind Kind { get; }

    /// <summary>The socket's path or the ssh host; empty for a local path.</summary>
    public string Endpoint { get; }

    /// <summary>The folder that confines the receiver where we start it; empty where a listening receiver has its own.</summary>
    public string Folder { get; }

    /// <summary>The target's name below the folder or the receiver's root; empty or ending in a slash for "a folder".</summary>
    public string Name { get; }

    /// <summary>Whether the address names a folder, into which images go under their own names.</summary>
    public bool IsFolder => Name.Length == 0 || Name.EndsWith('/');

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

        int hostEnd = text.IndexOf(':', StringComparison.Ordinal);
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        if (hostEnd == 0 || text.Length == 0)
        {
            throw Wrong(text, "PATH, HOST:PATH or unix:SOCKET:NAME");
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
    public string NameFor(string imagePath) => IsFolder ? Name + Path.GetFileName(imagePath) : Name;

    /// <summary>The address as its user would write it.</summary>
    public override string ToString() => Kind switch
    {
        DestinationKind.UnixSocket => $"{UnixPrefix}{Endpoint}:{Name}",
        DestinationKind.Ssh => $"{Endpoint}:{Path.Join(Folder == "." ? string.Empty : Folder, Name)}",
        _ => Path.Join(Folder == "." ? string.Empty : Folder, Name),
    };

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
}
