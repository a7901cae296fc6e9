using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Journal;
using DiskSync.Engine.Replication;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Linux;

namespace DiskSync.Engine.Targets;

/// <summary>A target that is a block device: always written in place, its journal, map and seal in the state folder.</summary>
internal sealed class DeviceTarget : ITarget
{
    private readonly TargetPaths _paths;

    private DeviceTarget(TargetPaths paths, TargetStore store, TargetState state, string notice)
    {
        _paths = paths;
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
        if (!opening.InPlace)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"destination {path}: it is a block device, which can only be written in place",
                "Add --inplace if what the device holds may be overwritten.");
        }

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
        LinuxBlockDevice device = BlockDevices.Wrap(file, path, Side.Destination);
        TargetPaths? paths = null;
        try
        {
            paths = TargetPaths.OfDevice(stateFolder, identity, opening.Request.Name, path);
            DeviceTarget target = Open(opening with { Paths = paths }, device);
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

    /// <inheritdoc/>
    public void PrepareFinish() => Store.Checkpoint();

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
        _paths.Dispose();
    }

    private static DeviceTarget Open(TargetOpening opening, LinuxBlockDevice device)
    {
        if (device.Length < opening.Geometry.Length)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"destination {device.Name}: the device has {device.Length} bytes, the image {opening.Geometry.Length}",
                "Use a larger device.");
        }

        // A device says nothing of when it was last written, so its own old map is never believed without reading.
        TargetContent content = TargetContent.InPlace(opening, known: null, untouched: true);
        TargetStore store = content.OpenStore(device, opening.Session);
        try
        {
            store.HashUnknown((done, total) => opening.Progress(ProgressPhase.Hashing, done, total), opening.CancellationToken);
            store.Checkpoint();
            string notice = device.Length > opening.Geometry.Length
                ? $"the device {device.Name} is {device.Length - opening.Geometry.Length} bytes longer than the image; they are left as they are. " + content.Notice
                : content.Notice;
            return new DeviceTarget(opening.Paths, store, content.State, notice);
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }
}
