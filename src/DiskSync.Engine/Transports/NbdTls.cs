using System.Net.Security;
using DiskSync.Engine.Peers;
using DiskSync.Formats.Peers;
using DiskSync.Nbd;
using DiskSync.Nbd.Client;

namespace DiskSync.Engine.Transports;

/// <summary>TLS for NBD: by this host's key and its trusted peers, or by the certificates of an authority, which other programs know.</summary>
public static class NbdTls
{
    /// <summary>The client's end.</summary>
    /// <param name="uri">Where to; its tls-certificates, a folder with ca-cert.pem and the client's own or a key folder of disksync, goes before the keys.</param>
    /// <param name="keys">This host's key and peers; null for the usual folder.</param>
    /// <exception cref="DiskSyncException">There is no key or no certificate that can be used, or the server is not trusted (kind Preflight).</exception>
    public static SslClientAuthenticationOptions Client(NbdUri uri, KeyFolder? keys)
    {
        ArgumentNullException.ThrowIfNull(uri);
        if (uri.CertificateFolder is { } folder && !File.Exists(KeyFolder.Resolve(folder).KeyPath))
        {
            return Certificates(() => NbdCertificates.Client(folder, uri.ServerName));
        }

        KeyFolder known = Keys(uri, keys);
        PeerStore peers = new(known);
        PeerEntry server = NameOf(uri) is { } name && peers.FindReceiver(name) is { } entry ? entry : throw new DiskSyncException(
            FailureKind.Preflight,
            $"the NBD server at {uri.ServerName} is not known to this host",
            $"Ask there for its key ('disksync keygen --show'), and run '{known.Command($"trust {uri.ServerName} FINGERPRINT")}' here; "
            + "for a server with certificates add ?tls-certificates=DIR to the URI.");
        return TlsSettings.Client(HostKey.Load(known), uri.ServerName, certificate => HostKey.FingerprintOf(certificate) == server.Fingerprint);
    }

    /// <summary>The server's end: clients need a key that is trusted as a source's.</summary>
    /// <param name="keys">This host's key and peers.</param>
    /// <exception cref="DiskSyncException">This host has no key (kind Preflight).</exception>
    public static SslServerAuthenticationOptions Server(KeyFolder keys)
    {
        PeerStore peers = new(keys);
        return TlsSettings.Server(HostKey.Load(keys), certificate => peers.FindSource(HostKey.FingerprintOf(certificate)) is not null);
    }

    /// <summary>The server's end: clients need a certificate of the folder's authority.</summary>
    /// <param name="folder">ca-cert.pem, server-cert.pem and server-key.pem.</param>
    /// <exception cref="DiskSyncException">A file is missing or cannot be used (kind Preflight).</exception>
    public static SslServerAuthenticationOptions Server(string folder) => Certificates(() => NbdCertificates.Server(folder));

    /// <summary>What to do where a handshake has failed.</summary>
    internal static string Advice(NbdUri uri, KeyFolder? keys)
    {
        if (uri.CertificateFolder is { } folder && !File.Exists(KeyFolder.Resolve(folder).KeyPath))
        {
            return $"Both sides need certificates of one authority ({folder}/ca-cert.pem here), and the server's must be for {uri.ServerName}; ?tls-hostname=NAME names another.";
        }

        KeyFolder known = Keys(uri, keys);
        return $"Both sides must trust each other's key: '{known.Command($"trust {uri.ServerName} FINGERPRINT")}' here, and there this host's ('{known.Command("keygen")} --show' prints it).";
    }

    private static KeyFolder Keys(NbdUri uri, KeyFolder? keys) =>
        uri.CertificateFolder is { } folder ? KeyFolder.Resolve(folder) : keys ?? KeyFolder.Resolve(null);

    private static PeerName? NameOf(NbdUri uri) => PeerName.Of(uri.ServerName, uri.SocketPath is null ? uri.Port : NbdUri.DefaultPort);

    private static T Certificates<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (IOException exception)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"the certificates for NBD cannot be used: {exception.Message}",
                "Name a folder with ca-cert.pem, and client-cert.pem and client-key.pem (a server: server-cert.pem and server-key.pem).",
                exception);
        }
    }
}
