using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using DiskSync.Engine.Peers;
using DiskSync.Formats.Peers;

namespace DiskSync.Engine.Transports;

/// <summary>The source's end of a TLS handshake: proves this host's key, and accepts one key of the receiver.</summary>
internal static class TlsClient
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Handshakes over a connection.</summary>
    /// <param name="connection">Owned from now on, also when the handshake fails.</param>
    /// <param name="receiver">The host and port dialled.</param>
    /// <param name="credentials">This host's key and whom it trusts.</param>
    /// <param name="cancellationToken">Ends the handshake.</param>
    /// <exception cref="TransportLostException">The other side does not speak TLS 1.3, or gave up.</exception>
    /// <exception cref="DiskSyncException">Its key is not the one that is trusted.</exception>
    public static async Task<ITransport> HandshakeAsync(
        NetworkStream connection, PeerName receiver, TlsCredentials credentials, CancellationToken cancellationToken)
    {
        FirstBytesStream first = new(connection);
        SslStream tls = new(first);
        Fingerprint? found = null;
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            PeerEntry? known = credentials.Peers.FindReceiver(receiver);
            bool Accept(X509Certificate2 certificate)
            {
                found = HostKey.FingerprintOf(certificate);
                return known is null ? credentials.TrustNew : known.Fingerprint == found;
            }

            try
            {
                await tls.AuthenticateAsClientAsync(
                    TlsSettings.Client(credentials.Key, receiver.Host, Accept), patience.Token);
            }
            catch (AuthenticationException) when (found is not null && (known is null ? !credentials.TrustNew : known.Fingerprint != found))
            {
                throw known is null
                    ? Unknown(receiver, found, credentials.Peers.Folder)
                    : Changed(receiver, found, known, credentials.Peers.Folder);
            }

            // Only now has the receiver proven that the key is its own.
            if (known is null)
            {
                Record(receiver, found!, credentials);
            }

            return new StreamTransport(tls, tls, TcpTransport.NameOf(receiver), found!.Text) { Socket = connection.Socket };
        }
        catch (Exception exception)
        {
            await tls.DisposeAsync();
            switch (exception)
            {
                case OperationCanceledException when !cancellationToken.IsCancellationRequested:
                    throw Failed(receiver, first.First, $"no answer for {Patience.TotalSeconds:0} s", exception);
                case AuthenticationException or IOException:
                    throw Failed(receiver, first.First, exception.InnerException?.Message ?? exception.Message, exception);
                default:
                    throw;
            }
        }
    }

    private static void Record(PeerName receiver, Fingerprint found, TlsCredentials credentials)
    {
        credentials.Peers.Add(new PeerEntry(receiver, found));
        credentials.Tell(
            $"{receiver} was not known and is trusted from now on with the key {found}, because of --trust-new; nobody has "
            + $"checked that it is the right one. Compare it with what 'disksync keygen --show' prints there");
    }

    private static DiskSyncException Unknown(PeerName receiver, Fingerprint found, KeyFolder folder) => new(
        FailureKind.Preflight,
        $"the receiver at {receiver} is not known to this host; it has the key {found}",
        $"If 'disksync keygen --show' prints the same there, run '{folder.Command($"trust {receiver} {found}")}' here, then the "
        + "same command again. --trust-new would record it without that look.");

    private static DiskSyncException Changed(PeerName receiver, Fingerprint found, PeerEntry known, KeyFolder folder) => new(
        FailureKind.Preflight,
        $"the receiver at {receiver} has the key {found}, but trusted for {known.Name} is {known.Fingerprint}: somebody may be in between",
        "Nothing was sent. Only if the key was changed on purpose ('disksync keygen --show' prints the new one there), run "
        + $"'{folder.Command($"trust --remove {known.Name}")}' and '{folder.Command($"trust {known.Name} {found}")}' here.");

    private static TransportLostException Failed(PeerName receiver, ReadOnlySpan<byte> first, string reason, Exception inner) =>
        first.StartsWith("DiskSync"u8)
            ? new TransportLostException(
                $"the receiver at {receiver} speaks plain TCP: it was started with --insecure",
                "Start it without --insecure; or, on a network where everybody may read and change the image, add --insecure here.",
                inner)
            : new TransportLostException(
                $"no TLS 1.3 with {receiver}: {reason}",
                "Nothing was sent. Check that a receiver of disksync listens there, and look at what it says.",
                inner);
}
