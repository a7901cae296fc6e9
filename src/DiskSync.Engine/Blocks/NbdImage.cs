using System.Text;
using DiskSync.Codecs;
using DiskSync.Engine.Peers;
using DiskSync.Engine.Transports;
using DiskSync.Nbd.Client;
using DiskSync.Nbd.Wire;

namespace DiskSync.Engine.Blocks;

/// <summary>Images that a command names by an NBD URI: how they are opened, and by what they are known.</summary>
public static class NbdImage
{
    /// <summary>What the id of an export begins with, as devices' ids never do.</summary>
    public const string IdPrefix = "nbd-";

    private const int Connections = 4;
    private const int LongestReadable = 60;
    private const int HashDigits = 16;

    /// <summary>Whether a name is an NBD URI and not a path; ./nbd:... is a path.</summary>
    public static bool IsOne(string name) => NbdUri.IsOne(name);

    /// <summary>Reads a URI.</summary>
    /// <exception cref="DiskSyncException">It cannot be understood (kind Usage).</exception>
    public static NbdUri Parse(string uri)
    {
        try
        {
            return NbdUri.Parse(uri);
        }
        catch (FormatException exception)
        {
            throw new DiskSyncException(
                FailureKind.Usage,
                $"'{uri}' is no NBD URI that can be used: {exception.Message}",
                "Write it as nbd://HOST/NAME, nbds://HOST/NAME (TLS), nbd+unix:///NAME?socket=/PATH or nbds+unix:///NAME?socket=/PATH.",
                exception);
        }
    }

    /// <summary>Opens an export for reading.</summary>
    /// <param name="uri">The URI.</param>
    /// <param name="keys">This host's key and peers for TLS without certificates; null for the usual folder.</param>
    /// <returns>The image, owned by the caller.</returns>
    /// <exception cref="DiskSyncException">It cannot be understood, reached or used.</exception>
    public static NbdBlockDevice OpenSource(string uri, KeyFolder? keys = null) => Open(uri, Side.Source, keys);

    /// <summary>Opens an export for reading and writing.</summary>
    /// <param name="uri">The URI.</param>
    /// <param name="keys">This host's key and peers for TLS without certificates; null for the usual folder.</param>
    /// <returns>The image, owned by the caller.</returns>
    /// <exception cref="DiskSyncException">It cannot be understood or reached, is read-only, or cannot be flushed.</exception>
    public static NbdBlockDevice OpenTarget(string uri, KeyFolder? keys = null)
    {
        NbdBlockDevice device = Open(uri, Side.Destination, keys);
        if (device.Export is { IsReadOnly: false, CanFlush: true })
        {
            return device;
        }

        bool isReadOnly = device.Export.IsReadOnly;
        device.Dispose();
        throw new DiskSyncException(
            FailureKind.Preflight,
            isReadOnly
                ? $"destination {uri}: the export is read-only; nothing was written"
                : $"destination {uri}: its server cannot flush, so nothing written could be known to be durable; nothing was written",
            isReadOnly ? "Serve it writable, or name another." : "Serve it with another server.");
    }

    /// <summary>The stable identity of an export: where it is and what it is called, however it is connected to (safety rule 9).</summary>
    /// <returns>Fit for a file name.</returns>
    public static string IdOf(NbdUri uri)
    {
        ArgumentNullException.ThrowIfNull(uri);
        string place = uri.SocketPath is { } socket
            ? $"unix:{(socket.StartsWith('\0') ? socket : Path.GetFullPath(socket))}"
            : $"tcp:{uri.Host!.ToLowerInvariant()}:{uri.Port}";
        string whole = $"{place}\n{uri.ExportName}";
        string readable = string.Concat($"{place[(place.IndexOf(':', StringComparison.Ordinal) + 1)..]}-{uri.ExportName}"
            .Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' ? c : '_')).Trim('_', '-', '.');
        readable = readable[Math.Max(0, readable.Length - LongestReadable)..];
        return $"{IdPrefix}{readable}-{Blake3.Hash(Encoding.UTF8.GetBytes(whole)).ToString()[..HashDigits]}";
    }

    /// <summary>An image's full name, as runs and messages keep it: the absolute path, or the URI as it is.</summary>
    public static string FullName(string image) => IsOne(image) ? image : Path.GetFullPath(image);

    /// <summary>The name that a copy of an image takes in a folder: the file's own, or the last part of the export's.</summary>
    /// <exception cref="DiskSyncException">The export has no name (kind Usage).</exception>
    public static string FileName(string image)
    {
        if (!IsOne(image))
        {
            return Path.GetFileName(image);
        }

        string name = Path.GetFileName(Parse(image).ExportName);
        return name.Length > 0 ? name : throw new DiskSyncException(
            FailureKind.Usage, $"source {image}: the export has no name that a file could take", "Write the destination with the file's name, not as a folder.");
    }

    private static NbdBlockDevice Open(string text, Side side, KeyFolder? keys)
    {
        NbdUri uri = Parse(text);
        try
        {
            NbdClientOptions options = new()
            {
                ExportName = uri.ExportName,
                Tls = uri.IsTls ? NbdTls.Client(uri, keys) : null,
                Connections = Connections,
            };
            return new NbdBlockDevice(NbdClient.Connect(NbdDialer.For(uri), options), text, side);
        }
        catch (NbdRefusedException exception)
        {
            throw CannotOpen(text, side, exception, exception.Reason switch
            {
                NbdOptionReplyType.ErrorTlsRequired => "Write the URI with nbds in place of nbd.",
                NbdOptionReplyType.ErrorUnknown => "See which exports there are: nbdinfo --list.",
                _ when uri.IsTls => "Start that server with TLS, or write the URI with nbd in place of nbds where nobody can listen.",
                _ => "Look at what that server says.",
            });
        }
        catch (NbdConnectionException exception)
        {
            throw CannotOpen(text, side, exception, exception.Failure switch
            {
                NbdConnectionFailure.NotReached => "Check the URI, and that an NBD server listens there.",
                NbdConnectionFailure.Tls => NbdTls.Advice(uri, keys),
                NbdConnectionFailure.Violation => "Check the URI: it is no NBD server that answers there, or a broken one.",
                _ => "Look at what that server says, then run the same command again.",
            });
        }
    }

    private static DiskSyncException CannotOpen(string uri, Side side, Exception exception, string advice) => new(
        side == Side.Source ? FailureKind.Source : FailureKind.Destination,
        $"{(side == Side.Source ? "source" : "destination")} {uri}: {exception.Message}",
        advice,
        exception);
}
