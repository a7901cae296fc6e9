using DiskSync.Engine;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Exports;
using DiskSync.Engine.Exports.Lending;
using DiskSync.Engine.Runs;
using DiskSync.Engine.Targets;
using DiskSync.Engine.Tracking;
using DiskSync.Handoff.Hooks;
using DiskSync.Handoff.Hypervisors;
using DiskSync.Handoff.Ownership;
using DiskSync.Linux;

namespace DiskSync.Handoff.Migration;

/// <summary>Puts this host's ownership together over its state folder: journal, locks, names, machines.</summary>
public sealed class OwnershipParts
{
    private readonly string _stateFolder;
    private readonly DeviceMarks _marks;
    private readonly ImagePlaces _places;

    /// <summary>Puts the parts together; the folder is made if need be.</summary>
    /// <param name="stateFolder">The host's state folder.</param>
    /// <param name="hookLimit">The time limit of each hook, and of each step of another hypervisor.</param>
    /// <param name="acceptUnfenced">Whether devices, and files with other names, may be handed over though nothing fences them.</param>
    public OwnershipParts(string stateFolder, TimeSpan hookLimit, bool acceptUnfenced)
    {
        _stateFolder = StateFolder.Create(stateFolder);
        Hypervisor = new HostHypervisor(hookLimit);
        Journal = new OwnershipJournal(_stateFolder);
        Locks = new FileOwnershipLocks(_stateFolder);
        _places = new ImagePlaces(_stateFolder);
        _marks = new DeviceMarks(_places);
        Witness = new FileImageWitness(_places);
        Names = new DeviceAwareNames(new FileSourceImages(Side.Source), _marks, acceptUnfenced);
    }

    /// <summary>The ownership journal.</summary>
    public IOwnershipJournal Journal { get; }

    /// <summary>The locks of images.</summary>
    public IOwnershipLocks Locks { get; }

    /// <summary>Looks at seals and ceded names.</summary>
    public IImageWitness Witness { get; }

    /// <summary>Makes sources unusable.</summary>
    public DeviceAwareNames Names { get; }

    /// <summary>This host's machines.</summary>
    public HostHypervisor Hypervisor { get; }

    /// <summary>The source's side.</summary>
    public SourceHandOver Source() => new(Journal, Names, Witness, Locks, Hypervisor, TimeProvider.System);

    /// <summary>The destination's side behind a receiver's sessions.</summary>
    /// <param name="provider">Opens and finishes targets.</param>
    /// <param name="catalog">What a peer may have run here.</param>
    public ReceiverHandOver Receiver(FileTargetProvider provider, HookCatalog catalog) =>
        new(images => Destination(images, catalog), provider, new TailDoors(Journal, _stateFolder));

    /// <summary>Where the export of an image that is still to arrive, or to become whole, hears from its source's connections.</summary>
    /// <param name="path">A file's name, or a block device.</param>
    public string TailSocketOf(string path) => TailSocket.PathOf(_stateFolder, ImageIdentity.Of(path));

    /// <summary>What <c>disksync owner</c> works with.</summary>
    /// <param name="provider">Finishes targets; its root must hold the image.</param>
    /// <param name="catalog">The hooks that may be run to resume a guest.</param>
    public OwnerCommand Command(FileTargetProvider provider, HookCatalog catalog) => new(
        Journal,
        Witness,
        Names,
        Locks,
        Source(),
        Destination(ReceiverHandOver.OnDisk(provider), catalog),
        TimeProvider.System);

    /// <summary>Refuses an image that this host owns and that is not whole yet: it has no name under which it could be opened.</summary>
    /// <param name="path">The image as the user named it.</param>
    /// <exception cref="DiskSyncException">It is one.</exception>
    public void RefuseIncomplete(string path)
    {
        string identity = ImageIdentity.Of(path);
        OwnershipJudgement judgement = OwnershipJudge.Judge(Journal.Read(), identity, Witness.Look(identity));
        if (judgement.Verdict is OwnershipVerdict.Incomplete or OwnershipVerdict.IncompleteUnfinished)
        {
            throw OwnershipErrors.MayNot(judgement, Side.Source);
        }
    }

    /// <summary>Opens an image that was ceded here, for reading: what the destination still fetches from it.</summary>
    /// <param name="identity">The image.</param>
    /// <param name="epoch">The epoch that was ceded.</param>
    /// <exception cref="DiskSyncException">It is not there, or is the export of an NBD server.</exception>
    public static IBlockDevice OpenFrozen(string identity, ulong epoch)
    {
        if (ImageIdentity.IsNbd(identity))
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"source {identity}: it is the export of another server, which nobody here can reach by its identity",
                "Run the same migrate again.");
        }

        string path = ImageIdentity.IsDevice(identity)
            ? DeviceIdentity.FindPath(identity[ImageIdentity.DevicePrefix.Length..]) ?? throw new DiskSyncException(
                FailureKind.Source,
                $"source {identity}: the device is not attached to this host now, and the destination still needs what is on it",
                "Attach it, then run 'disksync owner' for it.")
            : FileSourceImages.CededName(identity, epoch);
        return BlockDevices.OpenSource(path);
    }

    /// <summary>Opens an image that <c>disksync export</c> may write.</summary>
    /// <param name="path">A regular file or a block device.</param>
    /// <exception cref="DiskSyncException">It may not be written here, somebody uses it, or it cannot be opened.</exception>
    public ExportRight Export(string path) => ExportRight.Acquire(path, Journal, Locks, Witness);

    /// <summary>Waits for an image that <c>disksync export --incoming</c> serves as soon as this host owns it.</summary>
    /// <param name="path">A file's name, or a block device.</param>
    /// <exception cref="DiskSyncException">There cannot be such an image.</exception>
    public IncomingImage Incoming(string path) => new(path, Journal, Locks, _places, Witness);

    /// <summary>Lends an exported image to migrations of this host, and finds out afterwards whose it is.</summary>
    /// <param name="image">The image; stays the caller's.</param>
    /// <param name="tell">Told what the operator should know.</param>
    /// <param name="onGone">Called where the image has become another host's.</param>
    /// <exception cref="DiskSyncException">The socket cannot be had.</exception>
    public ExportLending Lend(LendableImage image, Action<string> tell, Action onGone)
    {
        ArgumentNullException.ThrowIfNull(image);
        return ExportLending.Start(
            image, LendingSocket.PathOf(_stateFolder, image.Path), new ExportedImageJudge(image.Path, Journal, Locks, Witness), tell, onGone);
    }

    /// <summary>What is known of an image between two exports of it that track.</summary>
    /// <param name="identity">The image.</param>
    public TrackingRecordFile TrackingRecord(string identity) => new(LendingSocket.RecordPathOf(_stateFolder, identity));

    /// <summary>Borrows an image that an export of this host serves.</summary>
    /// <param name="identity">The image.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <param name="borrower">Who asks and for what, for messages.</param>
    /// <returns>Null where no export tracks it.</returns>
    /// <exception cref="DiskSyncException">Its export refuses.</exception>
    public IWriteTracking? TryBorrow(string identity, long length, string borrower)
    {
        BorrowedImage? borrowed = BorrowedImage.TryBorrow(LendingSocket.PathOf(_stateFolder, identity), identity, length, borrower);
        if (borrowed is not null)
        {
            Names.FencedByExport(identity);
        }

        return borrowed;
    }

    private DestinationHandOver Destination(IDestinationImages images, HookCatalog catalog) => new(
        Journal,
        images,
        new FileTailImages(),
        new DeviceAwareNames(new FileSourceImages(Side.Destination), _marks, acceptUnfenced: true),
        Witness,
        Locks,
        Hypervisor,
        catalog,
        TimeProvider.System);
}
