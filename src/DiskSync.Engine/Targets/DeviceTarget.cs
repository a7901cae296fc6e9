using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Journal;
using DiskSync.Engine.Peers;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Tail;
using DiskSync.Formats.Tail;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Linux;

namespace DiskSync.Engine.Targets;

/// <summary>A target that is a block device or an NBD export: always written in place, its journal, map and seal in the state folder.</summary>
internal sealed class DeviceTarget : ITarget
{
    private const string LockName = "lock";

    private readonly TargetPaths _paths;
    private readonly LinuxFile? _lock;

    private DeviceTarget(TargetPaths paths, LinuxFile? held, TargetStore store, TargetState state, string notice)
    {
        _paths = paths;
        _lock = held;
        Store = store;
        State = state;
        Notice = notice;
        Epoch = TargetSealer.EpochOf(paths);
    }

    /// <inheritdoc/>
    public string Name => _paths.Name;

    /// <inheritdoc/>
    public string StagedAs => _paths.ImagePath;

    /// <inheritdoc/>
    public TargetState State { get; }

    /// <inheritdoc/>
    public string BaseUsed => string.Empty;

    /// <inheritdoc/>
    public string Notice { get; }

    /// <inheritdoc/>
    public ulong Epoch { get; }

    /// <inheritdoc/>
    public TargetStore Store { get; }

    /// <summary>Opens a device for one session, exclusively.</summary>
    public static DeviceTarget Open(TargetOpening opening, string stateFolder)
    {
        string path = opening.Paths.ImagePath;
        RequireInPlace(opening, "a block device");
        IReadOnlyList<string> uses = DestinationCheck.FindUse(path);
        if (uses.Count > 0)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"destination {path} is in use: {string.Join("; ", uses)}",
                "Stop what uses it, or choose another device.");
        }

        string identity = DeviceIdentity.Find(path) ?? throw new DiskSyncException(
            FailureKind.Preflight,
            $"destination {path}: the device has no stable identity (no by-id link, no serial number), so a journal could not be told to be its own",
            "Use a device that has one, such as an LVM volume, or a file.");
        LinuxFile file = opening.Paths.OpenFile(opening.Paths.Leaf, LinuxOpen.ReadWrite | LinuxOpen.Exclusive);
        LinuxBlockDevice device = BlockDevices.WrapWritable(file, path);
        TargetPaths? paths = null;
        try
        {
            paths = TargetPaths.OfDevice(stateFolder, identity, opening.Request.Name, path);
            opening.Guard();
            DeviceTarget target = Open(opening with { Paths = paths }, device, null, string.Empty);
            opening.Paths.Dispose();
            return target;
        }
        catch
        {
            paths?.Dispose();
            device.Dispose();
            throw;
        }
    }

    /// <summary>Opens an export for one session. Other programs of this host and others may write it too: its server keeps them away, or nobody.</summary>
    /// <param name="opening">What is asked for; its paths are the export's own (<see cref="NbdTargetFiles"/>).</param>
    /// <param name="uri">The export.</param>
    /// <param name="keys">For TLS; null for the usual folder.</param>
    public static DeviceTarget OpenNbd(TargetOpening opening, string uri, KeyFolder? keys)
    {
        RequireInPlace(opening, "an NBD export");
        LinuxFile held = TargetLock.Open(opening.Paths, LockName, create: true);
        NbdBlockDevice? device = null;
        try
        {
            device = NbdImage.OpenTarget(uri, keys);
            opening.Guard();
            return Open(
                opening, device, held, "what it holds was read back through its server: that it is on the server's medium rests on the answer to the flush before");
        }
        catch
        {
            device?.Dispose();
            held.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public (string Path, string Why) KeepRound(uint round) => (string.Empty, "a device cannot be cloned");

    /// <inheritdoc/>
    public void PrepareFinish() => Store.Checkpoint();

    /// <inheritdoc/>
    public void PrepareTail(TailSealRecord seal) => throw TailSealer.OnlyStaged(StagedAs);

    /// <inheritdoc/>
    public string Finish(SealRequest seal)
    {
        Hash256 root = Store.Root();
        if (root != seal.Root)
        {
            throw new DiskSyncException(
                FailureKind.Destination,
                $"destination {StagedAs}: it has root {root}, the source wants it sealed with {seal.Root}; it was not sealed",
                "Run the same command again: only what differs is sent.");
        }

        Store.Checkpoint();
        TargetSealer.SealDevice(_paths, Store.Map, seal);

        // It is open for us alone, so that nobody could mount it or start a guest on it.
        Store.Dispose();
        _lock?.Dispose();
        return _paths.ImagePath;
    }

    /// <inheritdoc/>
    public void Discard()
    {
        // What the device held before is gone already; there is nothing of ours to delete on it.
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Store.Dispose();
        _lock?.Dispose();
        _paths.Dispose();
    }

    private static void RequireInPlace(TargetOpening opening, string what)
    {
        if (!opening.InPlace)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"destination {opening.Paths.ImagePath}: it is {what}, which can only be written in place",
                "Add --inplace if what it holds may be overwritten.");
        }
    }

    private static DeviceTarget Open(TargetOpening opening, IBlockDevice device, LinuxFile? held, string known)
    {
        if (device.Length < opening.Geometry.Length)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"destination {device.Name}: it has {device.Length} bytes, the image {opening.Geometry.Length}",
                "Use a larger one.");
        }

        // A device says nothing of when it was last written, so its own old map is never believed without reading.
        TargetContent content = TargetContent.InPlace(opening, known: null, untouched: true);
        TargetStore store = content.OpenStore(device, opening.Session);
        try
        {
            store.HashUnknown((done, total) => opening.Progress(ProgressPhase.Hashing, done, total), opening.CancellationToken);
            store.Checkpoint();
            string longer = device.Length > opening.Geometry.Length
                ? $"{device.Name} is {device.Length - opening.Geometry.Length} bytes longer than the image; they are left as they are"
                : string.Empty;
            string notice = string.Join("; ", new[] { longer, content.Notice, known }.Where(n => n.Length > 0));
            return new DeviceTarget(opening.Paths, held, store, content.State, notice);
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }
}
