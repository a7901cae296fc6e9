using DiskSync.Engine.Blocks;
using DiskSync.Engine.Progress;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Targets;
using DiskSync.Engine.Tracking;
using DiskSync.Engine.Transports;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Handoff.Hooks;
using DiskSync.Handoff.Hypervisors;
using DiskSync.Handoff.Migration;
using DiskSync.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;

namespace DiskSync.Handoff.Tests.Migration;

/// <summary>A source host and a destination host in one process: real files, journals and hooks, an in-memory wire.</summary>
internal sealed class MigrationLab : IDisposable, IMigrationEvents
{
    private readonly TempFolder _folder = new();
    private readonly string _root;
    private readonly FileTargetProvider _provider;
    private readonly OwnershipParts _near;
    private readonly List<Task> _serving = [];
    private ITransport? _newest;

    /// <summary>Sets both hosts up.</summary>
    /// <param name="root">The receiver's root, or null for a folder of its own.</param>
    /// <param name="start">What the receiver's hook "start" does before it says that it ran.</param>
    /// <param name="machine">The socket of the QEMU that the receiver's hook "machine" is.</param>
    public MigrationLab(string? root = null, string start = "true", string machine = "/none")
    {
        _root = root ?? _folder.File("far");
        Directory.CreateDirectory(_root);
        _near = new OwnershipParts(_folder.File("near-state"), TimeSpan.FromSeconds(20), acceptUnfenced: true);
        _provider = new FileTargetProvider(_root, _folder.File("far-state"));
        HandOver = new OwnershipParts(_folder.File("far-state"), TimeSpan.FromSeconds(20), acceptUnfenced: true)
            .Receiver(_provider, new HookCatalog([$"start={start} && echo ran >> {Note("resumed")}", $"machine=qmp:{machine}"], allowCommands: false));
    }

    /// <summary>The destination's part in the hand-over.</summary>
    public IHandOverParticipant HandOver { get; set; }

    /// <summary>How the next migration is to run.</summary>
    public MigrationOptions Options { get; set; } = new();

    /// <summary>Wraps the sources that the next migration opens.</summary>
    public Func<IBlockDevice, IBlockDevice> Wrap { get; set; } = source => source;

    /// <summary>Who tracks the writes of the sources of the next migration.</summary>
    public IWriteTracking? Tracking { get; set; }

    /// <summary>What the user was told.</summary>
    public List<string> Notices { get; } = [];

    /// <summary>Called with each state.</summary>
    public Action<MigrationState> OnEntered { get; set; } = _ => { };

    public List<MigrationState> States { get; } = [];

    public Forecast Forecast { get; private set; }

    /// <summary>The source's machine, paused and unpaused by commands.</summary>
    public ISourceMachine Machine(string pause, string unpause = "") => _near.Hypervisor.Commanded(pause, unpause);

    /// <summary>A file that a hook writes.</summary>
    public string Note(string name) => _folder.File(name);

    public bool Noted(string name) => File.Exists(Note(name));

    public string Near(string name) => _folder.File(name);

    public string Far(string name) => Path.Join(_root, name);

    public string Image(string name, byte[] content)
    {
        File.WriteAllBytes(Near(name), content);
        return Near(name);
    }

    /// <summary>Migrates images; each keeps its name, but for a name that all of them get.</summary>
    public async Task<MigrationResult> MigrateAsync(
        string[] images, string? name = null, OpenFlags flags = OpenFlags.None, CancellationToken cancellationToken = default)
    {
        MigrationCoordinator coordinator = new(
            _near.Source(), DialAsync, new HookTimes(_folder.File("near-state")), Options, NoProgress.Instance, this);
        List<TransferRequest> requests = [];
        try
        {
            foreach (string image in images)
            {
                IBlockDevice source = Wrap(BlockDevices.OpenSource(image));
                requests.Add(new TransferRequest(
                    source, name ?? Path.GetFileName(image), new BlockGeometry(source.Length, 64 << 10))
                { Flags = flags, Tracking = Tracking });
            }

            return await coordinator.RunAsync(requests, "far:", cancellationToken).WaitAsync(TimeSpan.FromSeconds(90), CancellationToken.None);
        }
        finally
        {
            requests.ForEach(r => r.Source.Dispose());
        }
    }

    /// <summary>Pushes an image to a name, through a receiver of its own that asks the given guard.</summary>
    public async Task PushAsync(string image, string name, IHandOverParticipant guard)
    {
        await using SourceSession session = await DialAsync(guard, CancellationToken.None);
        using IBlockDevice source = BlockDevices.OpenSource(image);
        TransferRequest request = new(source, name, new BlockGeometry(source.Length, 64 << 10));
        await PushRun.RunAsync(session, request, new SenderOptions(), NoProgress.Instance, CancellationToken.None);
    }

    /// <summary>Breaks the newest connection.</summary>
    public void CutLink() => _newest!.Abort();

    public void Entered(MigrationState state)
    {
        States.Add(state);
        OnEntered(state);
    }

    public void Forecasted(Forecast forecast, TimeSpan maxDowntime) => Forecast = forecast;

    public void Notice(string text) => Notices.Add(text);

    public void Dispose()
    {
        Task.WhenAll(_serving).WaitAsync(TimeSpan.FromSeconds(30)).GetAwaiter().GetResult();
        _provider.Dispose();
        _folder.Dispose();
    }

    private Task<SourceSession> DialAsync(CancellationToken cancellationToken) => DialAsync(HandOver, cancellationToken);

    private Task<SourceSession> DialAsync(IHandOverParticipant handOver, CancellationToken cancellationToken)
    {
        (ITransport near, ITransport far) = InMemoryTransport.CreatePair();
        _newest = near;
        ReceiverHost host = new(_provider, handOver, new ReceiverOptions(), NullLogger.Instance);
        _serving.Add(Task.Run(async () =>
        {
            try
            {
                await host.ServeAsync(far, CancellationToken.None);
            }
            catch (Engine.DiskSyncException)
            {
                // The source has been told.
            }
        }, CancellationToken.None));
        return SourceSession.ConnectAsync(near, Guid.NewGuid(), new ConnectionOptions(), null, cancellationToken);
    }
}
