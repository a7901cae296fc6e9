using DiskSync.Cli.Running;
using DiskSync.Engine;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Transports;

namespace DiskSync.Cli.Connecting;

/// <summary>Reaches a destination: in this process (a path, an NBD export), over a Unix socket, over TCP, or through ssh.</summary>
/// <param name="context">For warnings and logs.</param>
/// <param name="rsh">The program that reaches other hosts; null for ssh.</param>
/// <param name="remotePath">disksync on the other host.</param>
/// <param name="localReceiver">Makes the receiver for a path of this host, confined to its folder, or for an NBD export.</param>
/// <param name="tcp">Reaches a receiver on TCP.</param>
internal sealed class Dialer(
    CommandContext context, string? rsh, string remotePath, Func<DestinationAddress, ReceiverHost> localReceiver, TcpDialer tcp)
{
    /// <summary>How many connections a transfer has; null lets them grow while more arrives with them.</summary>
    public int? Connections { get; init; }

    /// <summary>The limits of each connection, and the bandwidth limit of all of them together.</summary>
    public ConnectionOptions Limits { get; init; } = new();

    /// <summary>Opens a session.</summary>
    /// <param name="address">Where to.</param>
    /// <param name="sessionId">The session's name; a reconnect carries the same.</param>
    /// <param name="onProgress">Takes the destination's progress.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    public async Task<SourceSession> DialAsync(
        DestinationAddress address,
        Guid sessionId,
        Action<ushort, Formats.Wire.Messages.Progress>? onProgress,
        CancellationToken cancellation)
    {
        // What ssh starts, or runs in this process, serves one connection; what listens serves as many as come.
        MoreConnections? more = address.Kind is DestinationKind.UnixSocket or DestinationKind.Tcp
            ? new MoreConnections(token => OpenAsync(address, token)) { Count = Connections }
            : null;
        if (more is null && Connections > 1)
        {
            throw new DiskSyncException(
                FailureKind.Usage,
                $"--connections {Connections}: {address} has one connection only",
                "Start 'disksync receive --listen' there and push to it, or leave --connections out.");
        }

        ITransport first = await OpenAsync(address, cancellation);
        return await SourceSession.ConnectAsync(first, sessionId, Limits, onProgress, cancellation, more);
    }

    /// <summary>Connects, and says nothing yet.</summary>
    /// <param name="address">Where to.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    public async Task<ITransport> OpenAsync(DestinationAddress address, CancellationToken cancellation) => address.Kind switch
    {
        DestinationKind.UnixSocket => await UnixSocketTransport.ConnectAsync(address.Endpoint, cancellation),
        DestinationKind.Tcp => await tcp.DialAsync(address.Receiver!, cancellation),
        DestinationKind.Ssh => ProcessTransport.Start(
            SshCommand.Build(rsh, address.Endpoint, remotePath, ["receive", "--stdio", "--root", address.Folder]),
            address.Endpoint,
            context.Output.PeerLine),
        _ => DialInProcess(address),
    };

    private ITransport DialInProcess(DestinationAddress address)
    {
        ReceiverHost host = localReceiver(address);
        (ITransport source, ITransport destination) = InMemoryTransport.CreatePair();
        return new InProcessTransport(source, Task.Run(() => host.ServeAsync(destination, CancellationToken.None)));
    }
}
