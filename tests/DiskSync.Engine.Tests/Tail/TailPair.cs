using System.Net;
using System.Net.Sockets;
using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Exports;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Tail;
using DiskSync.Engine.Targets;
using DiskSync.Engine.Transports;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Peers;
using DiskSync.Formats.Presence;
using DiskSync.Formats.Wire.Messages;
using DiskSync.TestSupport;
using DiskSync.TestSupport.PowerCuts;
using Microsoft.Extensions.Logging.Abstractions;

namespace DiskSync.Engine.Tests.Tail;

/// <summary>Both ends of an on-demand tail over real sockets: a source that serves, a link, a receiver that relays, an export that fetches. Each may end and begin again.</summary>
internal sealed class TailPair : IHandOverParticipant, ITailCompletion, IDisposable
{
    public const int Part = PresenceHeader.PartSize;
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly TempFolder _folder = new();
    private readonly SimulatedMedium _medium = new(1);
    private readonly SimulatedJournalPlace _place;
    private readonly SimulatedFile _notes;
    private readonly SimulatedFile _written;
    private readonly Guid _boot = Guid.NewGuid();
    private readonly List<string> _told = [];
    private readonly IBlockDevice _frozen;
    private readonly BlockDeviceExport _served;
    private TcpListener? _receiver;
    private CancellationTokenSource _receiving = new();
    private CancellationTokenSource _serving = new();
    private TailListener? _listener;
    private PresenceMap? _map;

    public TailPair(int length, params PresenceRange[] present)
    {
        Content = SampleImage.Noise(7, length);
        byte[] here = new byte[length];
        here.AsSpan().Fill(0xEE);
        foreach (PresenceRange range in present)
        {
            int at = (int)range.First * Part;
            Content.AsSpan(at, Math.Min((int)range.Count * Part, length - at)).CopyTo(here.AsSpan(at));
        }

        _frozen = BlockDevices.OpenSource(_folder.Write("frozen", Content));
        _served = new BlockDeviceExport(_frozen, "frozen", isReadOnly: true);
        Image = BlockDevices.OpenTarget(_folder.Write("image", here));
        _place = new SimulatedJournalPlace(_medium);
        _notes = _medium.CreateStateFile("notes");
        _written = _medium.CreateStateFile("written");
        PresenceMap.Create(_place, _notes.Open(), new PresenceHeader(length, Guid.NewGuid(), Attempt, 2, Hash256.Unknown, 0), present, _boot).Dispose();
        Link = new UnsteadyLink(() => _receiver is { } receiver ? ((IPEndPoint)receiver.LocalEndpoint).Port : 1);
    }

    public Guid Attempt { get; } = Guid.NewGuid();

    public byte[] Content { get; }

    public IBlockDevice Image { get; }

    public UnsteadyLink Link { get; }

    public TailedImage Export { get; private set; } = null!;

    public Task<AttemptStatus> Source { get; private set; } = null!;

    /// <summary>Whether the source offers its map; of another image where one is named.</summary>
    public bool OffersHashes { get; init; }

    public IBlockDevice? MapOf { get; init; }

    /// <summary>What the source waits for before it hashes.</summary>
    public Task MayHash { get; init; } = Task.CompletedTask;

    /// <summary>Whether the journal says that it is whole.</summary>
    public bool IsRecorded { get; private set; }

    /// <summary>How often the record cannot be made, as another process is at it.</summary>
    public int Busy { get; set; }

    public string Told
    {
        get
        {
            lock (_told)
            {
                return string.Join('\n', _told);
            }
        }
    }

    private string SocketPath => _folder.File("tail");

    public void StartReceiver(TimeSpan? patience = null)
    {
        FileTargetProvider provider = new(_folder.File("."), _folder.File("state"));
        ReceiverHost host = new(provider, this, new ReceiverOptions { ExportPatience = patience ?? TimeSpan.FromSeconds(10) }, NullLogger.Instance);
        _receiving = new CancellationTokenSource();
        _receiver = new TcpListener(IPAddress.Loopback, 0);
        _receiver.Start();
        _ = AcceptAsync(_receiver, host, _receiving.Token);
    }

    public void StopReceiver()
    {
        _receiver?.Dispose();
        _receiver = null;
        _receiving.Cancel();
    }

    public void StartExport(TailedImageOptions? options = null)
    {
        _map = PresenceMap.Open(_place, _notes.Open(), "image", Image.Length, _boot);
        Export = new TailedImage(Image, _map, _written.Open(), new BlockGeometry(Image.Length, 64 << 10), Hash256.Unknown, _folder.File("hashes"), this, (options ?? new TailedImageOptions { CompleteAgain = TimeSpan.FromMilliseconds(20) }) with { Tell = Tell });
        _listener = TailListener.Start(SocketPath, () => Export, Tell);
    }

    public void StopExport()
    {
        _listener?.Dispose();
        _listener = null;
        Export?.Dispose();
        _map?.Dispose();
        _map = null;
    }

    public void StartSource(Guid? attempt = null)
    {
        _serving = new CancellationTokenSource();
        PeerName name = PeerName.Of("127.0.0.1", Link.Port)!;
        TailServer server = new(
            token => TcpTransport.ConnectAsync(name, null, token),
            _served,
            new TailServerOptions { FirstPause = TimeSpan.FromMilliseconds(20), LongestPause = TimeSpan.FromMilliseconds(200), SilenceLimit = TimeSpan.FromSeconds(30) },
            Tell)
        {
            Hashes = OffersHashes ? HashAsync : null,
        };
        Source = server.RunAsync(attempt ?? Attempt, 2, 0, _serving.Token);
    }

    public async Task StopSourceAsync()
    {
        await _serving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Source);
    }

    public byte[] Read(long offset, int length)
    {
        byte[] buffer = new byte[length];
        Export.Device.Read(offset, buffer);
        return buffer;
    }

    public byte[] Expected(long offset, int length) => Content.AsSpan((int)offset, length).ToArray();

    public byte[] ReadImage()
    {
        byte[] all = new byte[Image.Length];
        Image.Read(0, all);
        return all;
    }

    public bool TryComplete()
    {
        if (Busy-- > 0)
        {
            return false;
        }

        Assert.True(_map!.IsComplete);
        IsRecorded = true;
        return true;
    }

    public TailDoor FindTail(Serve offer) => offer.Attempt != Attempt
        ? throw new DiskSyncException(FailureKind.OwnershipInDoubt, $"no attempt {offer.Attempt} is known", "Look.")
        : new TailDoor("image", SocketPath, IsRecorded ? new AttemptStatus(Attempt, AttemptState.Running, 2) : null);

    public void Guard(string targetName) => throw new NotSupportedException();

    public Task CheckResumeAsync(string resume, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<Message> PrepareAsync(Prepare request, IReadOnlyDictionary<ushort, ITarget> targets, string peer) => throw new NotSupportedException();

    public Task<Message> PrepareTailAsync(PrepareTail request, IReadOnlyDictionary<ushort, ITarget> targets, string peer) => throw new NotSupportedException();

    public Task<TailStatus> QueryTailAsync(QueryTail request) => throw new NotSupportedException();

    public Task CommitAsync(Commit request, IReadOnlyDictionary<ushort, ITarget> targets, Func<Message, Task> reply) => throw new NotSupportedException();

    public Task<Message> RefuseAsync(Refuse request) => throw new NotSupportedException();

    public Task<AttemptStatus> QueryAsync(QueryAttempt request) => throw new NotSupportedException();

    public void Dispose()
    {
        _serving.Cancel();
        Link.Dispose();
        StopExport();
        StopReceiver();
        try
        {
            Source?.Wait(Patience);
        }
        catch (AggregateException)
        {
            // It was stopped.
        }

        _served.Dispose();
        _frozen.Dispose();
        Image.Dispose();
        _folder.Dispose();
    }

    private void Tell(string what)
    {
        lock (_told)
        {
            _told.Add(what);
        }
    }

    private async Task<FrozenMap> HashAsync(CancellationToken cancellation)
    {
        await MayHash.WaitAsync(cancellation);
        return await FrozenMap.BuildAsync(MapOf ?? _frozen, 64 << 10, cancellation);
    }

    private async Task AcceptAsync(TcpListener listener, ReceiverHost host, CancellationToken stop)
    {
        try
        {
            while (true)
            {
                Socket socket = await listener.AcceptSocketAsync(stop);
                NetworkStream stream = new(socket, ownsSocket: true);
                _ = ServeAsync(host, new StreamTransport(stream, stream, "the source"), stop);
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The receiver was stopped.
        }
    }

    private async Task ServeAsync(ReceiverHost host, ITransport transport, CancellationToken stop)
    {
        try
        {
            await host.ServeAsync(transport, stop);
        }
        catch (DiskSyncException exception)
        {
            Tell(exception.Message);
        }
    }
}
