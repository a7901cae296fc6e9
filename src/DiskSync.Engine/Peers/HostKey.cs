using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DiskSync.Engine.Comparison;
using DiskSync.Formats.Peers;
using DiskSync.Linux;

namespace DiskSync.Engine.Peers;

/// <summary>This host's key (ECDSA on P-256) and the self-signed certificate that carries it in TLS.</summary>
/// <remarks>
/// There is no authority behind it: peers know the key by its <see cref="Fingerprint"/>. The certificate has no end
/// date (RFC 5280 section 4.1.2.5), because trust ends when a line is taken out of a peers file, not on a day on which
/// nobody thinks of backups. Immutable; owns the certificate.
/// </remarks>
public sealed class HostKey : IDisposable
{
    private const UnixFileMode OthersMode =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    // RFC 5280 section 4.1.2.5: the value of a certificate without a well-defined end.
    private static readonly DateTimeOffset Never = new(9999, 12, 31, 23, 59, 59, TimeSpan.Zero);

    private HostKey(X509Certificate2 certificate)
    {
        Certificate = certificate;
        Fingerprint = FingerprintOf(certificate);
    }

    /// <summary>The certificate with its private key; valid until <see cref="Dispose"/>.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>What peers know this host by.</summary>
    public Fingerprint Fingerprint { get; }

    /// <summary>The fingerprint of the key in a certificate.</summary>
    public static Fingerprint FingerprintOf(X509Certificate2 certificate) =>
        Fingerprint.Of(certificate.PublicKey.ExportSubjectPublicKeyInfo());

    /// <summary>Reads the key of a folder.</summary>
    /// <exception cref="DiskSyncException">There is none, it is not this host's secret, or it cannot be used (kind Preflight).</exception>
    public static HostKey Load(KeyFolder folder)
    {
        try
        {
            CheckMode(folder);
            return new HostKey(X509Certificate2.CreateFromPemFile(folder.CertificatePath, folder.KeyPath));
        }
        catch (Exception exception) when (exception is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"this host's key in {folder.Path} cannot be used: {exception.Message}",
                $"Make a new one with '{folder.Command("keygen")} --force' and have it trusted again on every peer.",
                exception);
        }
    }

    /// <summary>Makes a key and its certificate; both are durable when this returns.</summary>
    /// <param name="folder">Made where it is not there.</param>
    /// <param name="replace">Replaces a key that is there.</param>
    /// <exception cref="DiskSyncException">There is one already, or it cannot be written.</exception>
    public static HostKey Create(KeyFolder folder, bool replace)
    {
        try
        {
            Refuse(folder, replace);
            folder.Create();
            using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            using X509Certificate2 certificate = SignedBySelf(key);

            // The key first: killed in between, the next load says that both do not fit instead of using the old one.
            Write(folder.KeyPath, key.ExportPkcs8PrivateKeyPem());
            Write(folder.CertificatePath, certificate.ExportCertificatePem());
            return Load(folder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new DiskSyncException(
                FailureKind.Preflight, $"the key cannot be written to {folder.Path}: {exception.Message}", "Name another folder with --keys DIR.", exception);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Certificate.Dispose();

    private static void CheckMode(KeyFolder folder)
    {
        if (FileStat.IfExists(folder.KeyPath) is not { } key)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"this host has no key: there is no {folder.KeyPath}",
                $"Make one with '{folder.Command("keygen")}', or name its folder with --keys DIR.");
        }

        if ((key.Mode & OthersMode) != 0)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"this host's key {folder.KeyPath} can be read or written by others",
                $"Make a new one with '{folder.Command("keygen")} --force' if it may have been read; else 'chmod 600 {folder.KeyPath}'.");
        }
    }

    private static void Refuse(KeyFolder folder, bool replace)
    {
        if (FileStat.IfExists(folder.KeyPath) is null)
        {
            return;
        }

        if (!replace)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"this host has a key already: {folder.KeyPath}",
                $"'{folder.Command("keygen")} --show' prints its fingerprint; --force replaces it, and every peer then has to trust the new one.");
        }

        // A file that is replaced hands on its mode, and this one may have been too open.
        File.SetUnixFileMode(folder.KeyPath, LinuxFile.OwnerOnly);
    }

    private static X509Certificate2 SignedBySelf(ECDsa key)
    {
        X500DistinguishedNameBuilder name = new();
        name.AddCommonName(Environment.MachineName is { Length: > 0 and <= 64 } host ? host : "disksync");
        CertificateRequest request = new(name.Build(), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), Never);
    }

    private static void Write(string path, string pem)
    {
        using AtomicFileStream file = AtomicFileStream.Create(path);
        file.Write(System.Text.Encoding.ASCII.GetBytes(pem + "\n"));
        file.Commit();
    }
}
