using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace DiskSync.Nbd;

/// <summary>A folder with certificates under the names that libnbd, nbdkit and QEMU give them.</summary>
/// <remarks>
/// ca-cert.pem: who is believed, on both sides. A client's own: client-cert.pem and client-key.pem. A server's own:
/// server-cert.pem and server-key.pem. Both sides have to show a certificate which that authority has signed. The
/// system's authorities are never believed for this: any of them could sign any name.
/// </remarks>
public static class NbdCertificates
{
    private const string Authority = "ca-cert.pem";

    /// <summary>TLS for a client: the server must have a certificate of the authority for its name.</summary>
    /// <param name="folder">The folder; read now.</param>
    /// <param name="serverName">The name that the server's certificate must be for.</param>
    /// <exception cref="IOException">A file is missing, or cannot be read or used; the message says which.</exception>
    public static SslClientAuthenticationOptions Client(string folder, string serverName) => new()
    {
        TargetHost = serverName,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        CertificateChainPolicy = Policy(folder, "1.3.6.1.5.5.7.3.1"),
        ClientCertificateContext = Own(folder, "client"),
    };

    /// <summary>TLS for a server: the client must have a certificate of the authority.</summary>
    /// <param name="folder">The folder; read now.</param>
    /// <exception cref="IOException">A file is missing, or cannot be read or used; the message says which.</exception>
    public static SslServerAuthenticationOptions Server(string folder) => new()
    {
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        ClientCertificateRequired = true,
        CertificateChainPolicy = Policy(folder, "1.3.6.1.5.5.7.3.2"),
        ServerCertificateContext = Own(folder, "server"),
    };

    private static SslStreamCertificateContext Own(string folder, string side)
    {
        string certificate = Path.Join(folder, $"{side}-cert.pem");
        string key = Path.Join(folder, $"{side}-key.pem");
        return Use($"{certificate} and {key}", () =>
        {
            X509Certificate2Collection chain = [];
            chain.ImportFromPemFile(certificate);
            chain.RemoveAt(0);
            return SslStreamCertificateContext.Create(X509Certificate2.CreateFromPemFile(certificate, key), chain, offline: true);
        });
    }

    private static X509ChainPolicy Policy(string folder, string purpose)
    {
        string path = Path.Join(folder, Authority);
        return Use(path, () =>
        {
            X509ChainPolicy policy = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.ImportFromPemFile(path);
            policy.ApplicationPolicy.Add(new Oid(purpose));
            return policy.CustomTrustStore.Count > 0 ? policy : throw new IOException($"{path} holds no certificate");
        });
    }

    private static T Use<T>(string what, Func<T> use)
    {
        try
        {
            return use();
        }
        catch (Exception exception) when (exception is CryptographicException or UnauthorizedAccessException or ArgumentException)
        {
            throw new IOException($"{what} cannot be used: {exception.Message}", exception);
        }
    }
}
