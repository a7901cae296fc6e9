using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace DiskSync.TestSupport;

/// <summary>A folder with certificates of an authority of its own, under the names that libnbd, nbdkit and QEMU give them.</summary>
public static class CertificateFolder
{
    private const string ForServers = "1.3.6.1.5.5.7.3.1";
    private const string ForClients = "1.3.6.1.5.5.7.3.2";

    /// <summary>Makes ca-cert.pem, server-cert.pem, server-key.pem, client-cert.pem and client-key.pem.</summary>
    /// <param name="folder">Made where it is not there.</param>
    /// <param name="serverName">The name that the server's certificate is for.</param>
    public static string Make(string folder, string serverName = "localhost")
    {
        Directory.CreateDirectory(folder);
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=disksync test authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        using X509Certificate2 authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        File.WriteAllText(Path.Join(folder, "ca-cert.pem"), authority.ExportCertificatePem());
        Sign(folder, "server", serverName, ForServers, authority);
        Sign(folder, "client", "client", ForClients, authority);
        return folder;
    }

    private static void Sign(string folder, string side, string name, string purpose, X509Certificate2 authority)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(purpose)], false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, true, false));
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName(name);
        if (name == "localhost")
        {
            names.AddIpAddress(IPAddress.Loopback);
        }

        request.CertificateExtensions.Add(names.Build());
        byte[] serial = RandomNumberGenerator.GetBytes(8);
        serial[0] &= 0x7f;
        using X509Certificate2 certificate = request.Create(authority, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(20), serial);
        File.WriteAllText(Path.Join(folder, $"{side}-cert.pem"), certificate.ExportCertificatePem() + "\n");
        File.WriteAllText(Path.Join(folder, $"{side}-key.pem"), key.ExportPkcs8PrivateKeyPem() + "\n");
    }
}
