using DiskSync.Cli.Running;
using DiskSync.Engine.Peers;
using DiskSync.Engine.Transports;
using DiskSync.Formats.Peers;

namespace DiskSync.Cli.Connecting;

/// <summary>Reaches a receiver on TCP, with this host's key or plain.</summary>
/// <remarks>The key is read when the first connection needs it, and kept: later connections may be dialled beside each other.</remarks>
/// <param name="context">For warnings.</param>
/// <param name="keys">The user's --keys, or null.</param>
/// <param name="trustNew">Whether to record a receiver that is not known.</param>
/// <param name="insecure">Whether to speak plain TCP.</param>
internal sealed class TcpDialer(CommandContext context, string? keys, bool trustNew, bool insecure)
{
    private readonly Lock _lock = new();
    private TlsCredentials? _credentials;
    private bool _warned;

    /// <summary>Connects.</summary>
    /// <exception cref="Engine.DiskSyncException">This host has no key, or the receiver is not there or not trusted.</exception>
    public Task<ITransport> DialAsync(PeerName receiver, CancellationToken cancellation)
    {
        if (insecure)
        {
            WarnOnce(receiver);
            return TcpTransport.ConnectAsync(receiver, null, cancellation);
        }

        return TcpTransport.ConnectAsync(receiver, Credentials(), cancellation);
    }

    private TlsCredentials Credentials()
    {
        lock (_lock)
        {
            KeyFolder folder = KeyFolder.Resolve(keys);
            return _credentials ??= new TlsCredentials(
                HostKey.Load(folder), new PeerStore(folder), trustNew, context.Output.Alarm);
        }
    }

    private void WarnOnce(PeerName receiver)
    {
        lock (_lock)
        {
            if (!_warned)
            {
                _warned = true;
                context.Output.Alarm(
                    $"--insecure: the image travels to {receiver} in the clear; everybody on the way can read it and change it, "
                    + "and whoever answers there is taken for the destination");
            }
        }
    }
}
