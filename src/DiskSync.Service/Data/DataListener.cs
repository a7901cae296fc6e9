using System.Net.Sockets;
using DiskSync.Engine;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Transports;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DiskSync.Service.Data;

/// <summary>A receiver's ear on TCP: Kestrel with our protocol instead of HTTP.</summary>
public sealed class DataListener : IAsyncDisposable
{
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(15);
    private readonly KestrelServer _server;
    private readonly ConnectionGate _gate;
    private readonly CancellationTokenSource _stop;
    private bool _stopped;

    private DataListener(KestrelServer server, ConnectionGate gate, CancellationTokenSource stop, IReadOnlyList<ListenAddress> addresses)
    {
        _server = server;
        _gate = gate;
        _stop = stop;
        Addresses = addresses;
    }

    /// <summary>Where it listens, with the ports that the system chose.</summary>
    public IReadOnlyList<ListenAddress> Addresses { get; }

    /// <summary>How many connections have been served since the start.</summary>
    public int Served => _gate.Served;

    /// <summary>Begins to listen.</summary>
    /// <param name="addresses">Where; TCP all of them, at least one.</param>
    /// <param name="host">Serves the sessions.</param>
    /// <param name="options">Whom to admit. The key stays the caller's, who disposes it after this listener.</param>
    /// <param name="loggers">For Kestrel's own log.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <exception cref="DiskSyncException">An address cannot be had (kind Preflight).</exception>
    public static async Task<DataListener> StartAsync(
        IReadOnlyList<ListenAddress> addresses,
        ReceiverHost host,
        DataListenerOptions options,
        ILoggerFactory loggers,
        CancellationToken cancellationToken)
    {
        CancellationTokenSource stop = new();
        ConnectionGate gate = new(options.MaxConnections, options.MaxStrangers);
        DataConnectionHandler handler = new(host, options, gate, stop.Token);
        KestrelServerOptions settings = new();
        List<ListenOptions> bound = [];
        foreach (ListenAddress address in addresses)
        {
            void Configure(ListenOptions listen)
            {
                listen.Use(_ => handler.OnConnectedAsync);
                bound.Add(listen);
            }

            if (address.Address is null)
            {
                settings.ListenAnyIP(address.Port, Configure);
            }
            else
            {
                settings.Listen(address.Address, address.Port, Configure);
            }
        }

        KestrelServer server = new(Options.Create(settings), new SocketListenerFactory(), loggers);
        try
        {
            await server.StartAsync(new NoHttp(), cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or SocketException)
        {
            server.Dispose();
            stop.Dispose();
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"cannot listen on {string.Join(", ", addresses)}: {exception.InnerException?.Message ?? exception.Message}",
                "Choose an address of this host and a port that is free.",
                exception);
        }

        return new DataListener(
            server, gate, stop, [.. addresses.Zip(bound, (address, listen) => address.WithPort(listen.IPEndPoint!.Port))]);
    }

    /// <summary>Ends every session, telling its source, and stops listening.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stopped)
        {
            return;
        }

        _stopped = true;
        await _stop.CancelAsync();
        using CancellationTokenSource patience = new(StopPatience);
        await _server.StopAsync(patience.Token);
        _server.Dispose();
        _stop.Dispose();
    }

    /// <summary>Kestrel wants an application for HTTP; no connection of ours ever gets to it.</summary>
    private sealed class NoHttp : IHttpApplication<object>
    {
        public object CreateContext(IFeatureCollection contextFeatures) => throw new NotSupportedException();

        public Task ProcessRequestAsync(object context) => throw new NotSupportedException();

        public void DisposeContext(object context, Exception? exception) => throw new NotSupportedException();
    }
}
