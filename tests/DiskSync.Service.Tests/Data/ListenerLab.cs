using System.Collections.Concurrent;
using System.Net.Sockets;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Peers;
using DiskSync.Engine.Progress;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Targets;
using DiskSync.Engine.Transports;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Peers;
using DiskSync.Service.Data;
using DiskSync.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;

namespace DiskSync.Service.Tests.Data;

/// <summary>A receiver on loopback, a source, and a key folder for each; everything in this process.</summary>
internal sealed class ListenerLab : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private readonly TempFolder _folder = new();
    private readonly FileTargetProvider _provider;
    private readonly ReceiverHost _host;
    private readonly HostKey _receiverKey;
    private DataListener? _listener;

    public ListenerLab()
    {
        Directory.CreateDirectory(_folder.File("root"));
        _provider = new FileTargetProvider(_folder.File("root"), _folder.File("state"));
        _host = new ReceiverHost(_provider, null, new ReceiverOptions(), NullLogger.Instance);
        ReceiverKeys = KeyFolder.Resolve(_folder.File("receiver"));
        _receiverKey = HostKey.Create(ReceiverKeys, replace: false);
        SourceKey = HostKey.Create(KeyFolder.Resolve(_folder.File("source")), replace: false);
        SourcePeers = new PeerStore(KeyFolder.Resolve(_folder.File("source")));
    }

    public KeyFolder ReceiverKeys { get; }

    public Fingerprint ReceiverFingerprint => _receiverKey.Fingerprint;

    public PeerStore ReceiverPeers => new(ReceiverKeys);

    public HostKey SourceKey { get; }

    public PeerStore SourcePeers { get; }

    /// <summary>What the receiver has warned of.</summary>
    public ConcurrentQueue<string> Warnings { get; } = new();

    public PeerName Receiver => PeerName.Of("127.0.0.1", Port)!;

    public int Port => _listener!.Addresses[0].Port;

    public int Served => _listener!.Served;

    public async Task ListenAsync(Func<DataListenerOptions, DataListenerOptions>? with = null, string where = "tcp:127.0.0.1:0")
    {
        DataListenerOptions options = new() { Key = _receiverKey, Peers = ReceiverPeers, Warn = Warnings.Enqueue };
        _listener = await DataListener.StartAsync(
            [ListenAddress.Parse(where)], _host, with?.Invoke(options) ?? options, NullLoggerFactory.Instance, CancellationToken.None);
    }

    /// <summary>Makes both sides trust each other.</summary>
    public void Trust()
    {
        ReceiverPeers.Add(new PeerEntry(PeerName.TryParse("source")!, SourceKey.Fingerprint));
        SourcePeers.Add(new PeerEntry(PeerName.TryParse("127.0.0.1")!, ReceiverFingerprint));
    }

    public TlsCredentials Credentials(bool trustNew = false, Action<string>? tell = null) =>
        new(SourceKey, SourcePeers, trustNew, tell ?? (_ => { }));

    /// <summary>Connects and greets.</summary>
    /// <param name="credentials">The source's key; null for plain TCP.</param>
    /// <param name="receiver">Another way to the receiver.</param>
    /// <param name="session">The session to begin or to take up again.</param>
    public async Task<SourceSession> OpenAsync(TlsCredentials? credentials, PeerName? receiver = null, Guid? session = null)
    {
        ITransport transport = await TcpTransport.ConnectAsync(receiver ?? Receiver, credentials, CancellationToken.None).WaitAsync(Patience);
        return await SourceSession.ConnectAsync(transport, session ?? Guid.NewGuid(), new ConnectionOptions(), null, CancellationToken.None).WaitAsync(Patience);
    }

    /// <summary>Another source that the receiver trusts.</summary>
    public TlsCredentials OtherSource()
    {
        KeyFolder keys = KeyFolder.Resolve(_folder.File("other"));
        HostKey key = HostKey.Create(keys, replace: false);
        ReceiverPeers.Add(new PeerEntry(PeerName.TryParse("other")!, key.Fingerprint));
        return Credentials() with { Key = key };
    }

    /// <summary>Pushes some content and checks that it has arrived.</summary>
    public async Task PushAsync(TlsCredentials? credentials, byte[] content, PeerName? receiver = null)
    {
        string image = _folder.Write("vm.img", content);
        await using (SourceSession session = await OpenAsync(credentials, receiver))
        {
            using IBlockDevice source = BlockDevices.OpenSource(image);
            await PushRun.RunAsync(
                session,
                new TransferRequest(source, "vm.img", new BlockGeometry(source.Length, 64 << 10)),
                new SenderOptions(),
                NoProgress.Instance,
                CancellationToken.None).WaitAsync(Patience);
        }

        Assert.True(content.AsSpan().SequenceEqual(File.ReadAllBytes(_folder.File("root/vm.img"))), "the image differs from what was pushed");
    }

    /// <summary>Connects with plain TCP, as a stranger would.</summary>
    public async Task<NetworkStream> ConnectAsync()
    {
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync("127.0.0.1", Port);
        return new NetworkStream(socket, ownsSocket: true);
    }

    /// <summary>Waits until the receiver has warned of something.</summary>
    public async Task<string> WarningAsync(string said)
    {
        using CancellationTokenSource patience = new(Patience);
        while (true)
        {
            if (Warnings.FirstOrDefault(w => w.Contains(said, StringComparison.Ordinal)) is { } warning)
            {
                return warning;
            }

            Assert.False(patience.IsCancellationRequested, $"'{said}' was not said: {string.Join(" | ", Warnings)}");
            await Task.Delay(10);
        }
    }

    public async Task StopAsync() => await _listener!.DisposeAsync();

    public async ValueTask DisposeAsync()
    {
        if (_listener is not null)
        {
            await _listener.DisposeAsync();
        }

        _provider.Dispose();
        _receiverKey.Dispose();
        SourceKey.Dispose();
        _folder.Dispose();
    }
}
