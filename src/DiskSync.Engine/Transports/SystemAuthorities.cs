using DiskSync.Linux;

namespace DiskSync.Engine.Transports;

/// <summary>The host's certificate authorities, none of which this process has any use for.</summary>
public static class SystemAuthorities
{
    /// <summary>Keeps the runtime from reading them; for the first line of a process.</summary>
    /// <remarks>
    /// Peers are known by their keys. The runtime builds a chain for each certificate all the same, and before the first
    /// it parses all authorities of the host, 80 ms of a processor's time, which was a third of a push over TLS that
    /// has nothing to send. OpenSSL's variables say where they are: empty means nowhere. Children get the variables
    /// that this process got.
    /// </remarks>
    public static void Ignore()
    {
        NativeEnvironment.Set("SSL_CERT_FILE", string.Empty);
        NativeEnvironment.Set("SSL_CERT_DIR", string.Empty);
    }
}
