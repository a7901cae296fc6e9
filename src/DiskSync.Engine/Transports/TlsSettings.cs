using System.Net.Security;
using System.Runtime.Intrinsics.X86;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using DiskSync.Engine.Peers;
using ArmAes = System.Runtime.Intrinsics.Arm.Aes;

namespace DiskSync.Engine.Transports;

/// <summary>TLS as DiskSync speaks it: version 1.3 alone, both sides with certificates, no authority behind either.</summary>
/// <remarks>
/// Certificates are not judged here: whoever handshakes compares the fingerprint of the peer's key afterwards. Sessions
/// are not resumed, so that each connection proves its key again and a peer that was removed is out at once.
/// </remarks>
public static class TlsSettings
{
    // The fastest first. Without AES in the processor that is ChaCha20.
    private static readonly CipherSuitesPolicy Suites = new(Aes.IsSupported || ArmAes.IsSupported
        ?
        [
            TlsCipherSuite.TLS_AES_128_GCM_SHA256,
            TlsCipherSuite.TLS_AES_256_GCM_SHA384,
            TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256,
        ]
        :
        [
            TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256,
            TlsCipherSuite.TLS_AES_128_GCM_SHA256,
            TlsCipherSuite.TLS_AES_256_GCM_SHA384,
        ]);

    /// <summary>The receiver's end.</summary>
    /// <remarks>
    /// A source without a certificate gets through the handshake too: TLS would turn it away with an alert that
    /// nobody understands, and late; our protocol can say what is missing.
    /// </remarks>
    public static SslServerAuthenticationOptions Server(HostKey key) =>
#pragma warning disable CA5359 // Judged after the handshake, by its fingerprint, where the answer can be a sentence.
        Server(key, (_, _, _, _) => true);
#pragma warning restore CA5359

    /// <summary>The end of a server whose protocol could not say afterwards what is wrong: a peer without a certificate that is accepted does not get in.</summary>
    /// <param name="key">The server's key.</param>
    /// <param name="accept">Judges the peer's certificate.</param>
    public static SslServerAuthenticationOptions Server(HostKey key, Func<X509Certificate2, bool> accept) =>
        Server(key, (_, certificate, _, _) => certificate is X509Certificate2 known && accept(known));

    private static SslServerAuthenticationOptions Server(HostKey key, RemoteCertificateValidationCallback judge) => new()
    {
        ServerCertificateContext = Context(key),
        ClientCertificateRequired = true,
        RemoteCertificateValidationCallback = judge,
        EnabledSslProtocols = SslProtocols.Tls13,
        CipherSuitesPolicy = Suites,
        AllowTlsResume = false,
        AllowRenegotiation = false,
        CertificateChainPolicy = Nobody(),
    };

    /// <summary>The source's end.</summary>
    /// <param name="key">The source's key.</param>
    /// <param name="host">The host dialled.</param>
    /// <param name="accept">Judges the receiver's certificate.</param>
    public static SslClientAuthenticationOptions Client(HostKey key, string host, Func<X509Certificate2, bool> accept) => new()
    {
        TargetHost = host,
        ClientCertificateContext = Context(key),
        RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is X509Certificate2 known && accept(known),
        EnabledSslProtocols = SslProtocols.Tls13,
        CipherSuitesPolicy = Suites,
        AllowTlsResume = false,
        AllowRenegotiation = false,
        CertificateChainPolicy = Nobody(),
    };

    private static SslStreamCertificateContext Context(HostKey key) =>
        SslStreamCertificateContext.Create(key.Certificate, additionalCertificates: null, offline: true);

    // The runtime builds a chain before it asks us. It must not follow addresses in a stranger's certificate to do so.
    private static X509ChainPolicy Nobody() => new()
    {
        DisableCertificateDownloads = true,
        RevocationMode = X509RevocationMode.NoCheck,
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        VerificationFlags = X509VerificationFlags.AllFlags,
    };
}
