using DiskSync.Cli.Output;
using DiskSync.Cli.Running;
using DiskSync.Engine;
using DiskSync.Engine.Peers;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Transports;
using DiskSync.Service.Data;

namespace DiskSync.Cli.Connecting;

/// <summary>Serves one receiver's sessions on Unix sockets and TCP together, until it is stopped.</summary>
/// <param name="host">Serves the sessions.</param>
/// <param name="context">For notes, warnings and the log.</param>
/// <param name="keys">The user's --keys, or null.</param>
/// <param name="insecure">Whether TCP goes without TLS.</param>
internal sealed class ReceiverListeners(ReceiverHost host, CommandContext context, string? keys, bool insecure)
{
    private int _unixConnections;

    /// <summary>Listens and serves until cancelled, then ends the sessions and tells their sources.</summary>
    /// <param name="addresses">Where.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="DiskSyncException">An address cannot be had, or this host has no key.</exception>
    public async Task<ReceiveReport> ServeAsync(IReadOnlyList<ListenAddress> addresses, CancellationToken cancellation)
    {
        List<UnixSocketListener> sockets = [];
        try
        {
            foreach (ListenAddress address in addresses.Where(a => !a.IsTcp))
            {
                sockets.Add(UnixSocketListener.Bind(address.SocketPath!));
            }

            ListenAddress[] tcp = [.. addresses.Where(a => a.IsTcp)];
            ReceiveReport report = tcp.Length > 0
                ? await ServeWithTcpAsync(addresses, tcp, sockets, cancellation)
                : await ServeUnixAsync(addresses, sockets, cancellation);

            // Not before nothing more is accepted: a session could be joined again else.
            await host.CloseAsync();
            return report;
        }
        finally
        {
            sockets.ForEach(s => s.Dispose());
        }
    }

    // Apart from the rest, so that a receiver without TCP never loads Kestrel.
    private async Task<ReceiveReport> ServeWithTcpAsync(
        IReadOnlyList<ListenAddress> addresses, ListenAddress[] tcp, List<UnixSocketListener> sockets, CancellationToken cancellation)
    {
        KeyFolder folder = KeyFolder.Resolve(keys);
        using HostKey? key = insecure ? null : HostKey.Load(folder);
        PeerStore peers = new(folder);
        if (insecure)
        {
            context.Output.Alarm(
                $"--insecure: whoever reaches {string.Join(", ", tcp.AsEnumerable())} may write below --root, "
                + "and everybody on the way can read and change what is sent");
        }
        else if (!peers.Read().Any(e => e.AdmitsSources))
        {
            context.Output.Warning(
                $"no source is trusted yet, so all will be turned away; '{folder.Command("trust NAME FINGERPRINT")}' admits one, now or later");
        }

        DataListenerOptions options = new() { Key = key, Peers = peers, Warn = context.Output.Warning };
        await using DataListener listener = await DataListener.StartAsync(tcp, host, options, context.Loggers, cancellation);
        Queue<ListenAddress> bound = new(listener.Addresses);
        ListenAddress[] real = [.. addresses.Select(a => a.IsTcp ? bound.Dequeue() : a)];
        ReceiveReport report = await ServeUnixAsync(real, sockets, cancellation);
        await listener.DisposeAsync();
        return report with { Connections = report.Connections + listener.Served };
    }

    private async Task<ReceiveReport> ServeUnixAsync(
        IReadOnlyList<ListenAddress> addresses, List<UnixSocketListener> sockets, CancellationToken cancellation)
    {
        foreach (ListenAddress address in addresses)
        {
            context.Output.Note($"listening on {address}");
        }

        TaskCompletionSource stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using CancellationTokenRegistration registration = cancellation.Register(stopped.SetResult);
        Task[] accepting = [.. sockets.Select(s => AcceptAsync(s, cancellation))];
        await await Task.WhenAny([stopped.Task, .. accepting]);
        await Task.WhenAll(accepting);
        return new ReceiveReport([.. addresses.Select(a => a.ToString())], _unixConnections);
    }

    private async Task AcceptAsync(UnixSocketListener listener, CancellationToken cancellation)
    {
        List<Task> serving = [];
        try
        {
            while (true)
            {
                ITransport transport = await listener.AcceptAsync(cancellation);
                Interlocked.Increment(ref _unixConnections);
                serving.RemoveAll(t => t.IsCompleted);
                serving.Add(ServeOneAsync(transport, cancellation));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeOneAsync(ITransport transport, CancellationToken cancellation)
    {
        try
        {
            await host.ServeAsync(transport, cancellation);
        }
        catch (DiskSyncException exception)
        {
            // One session's end is not the receiver's.
            context.Output.Warning(exception.Advice.Length == 0 ? exception.Message : $"{exception.Message.TrimEnd('.')}. {exception.Advice}");
        }
    }
}
