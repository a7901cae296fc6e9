using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Journal;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Tail;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Journal;
using DiskSync.Formats.Tail;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Linux;

namespace DiskSync.Engine.Targets;

/// <summary>A target in a regular file: a staged copy beside it, or with --inplace the file itself.</summary>
internal sealed class StagedTarget : ITarget
{
    private readonly TargetPaths _paths;
    private readonly TargetOpening _opening;
    private Hash256 _preparedRoot;

    private StagedTarget(TargetOpening opening, TargetStore store, TargetState state, string baseUsed, string notice)
    {
        _opening = opening;
        _paths = opening.Paths;
        Store = store;
        State = state;
        BaseUsed = baseUsed;
        Notice = notice;
        Epoch = TargetSealer.EpochOf(_paths);
    }

    /// <inheritdoc/>
    public string Name => _paths.Name;

    /// <inheritdoc/>
    public string StagedAs => _paths.PathOf(DataLeaf(_opening));

    /// <inheritdoc/>
    public TargetState State { get; }

    /// <inheritdoc/>
    public string BaseUsed { get; }

    /// <inheritdoc/>
    public string Notice { get; }

    /// <inheritdoc/>
    public ulong Epoch { get; }

    /// <inheritdoc/>
    public TargetStore Store { get; }

    /// <summary>Opens a target: resumed, cloned from a base, or empty.</summary>
    public static StagedTarget Open(TargetOpening opening, BaseCatalog bases)
    {
        TargetPaths paths = opening.Paths;
        RefuseUsed(paths.ImagePath);
        OwnerText.Parse(opening.Request.Owner);
        if (!opening.InPlace)
        {
            RefuseWritten(paths);
        }

        LinuxFile file = TargetLock.Open(paths, DataLeaf(opening), create: !opening.InPlace);
        try
        {
            // Once more, now that nobody else can write it: whoever held the lock may have made it somebody's disk.
            opening.Guard();
            TargetContent content = opening.InPlace ? OpenInPlace(opening, file) : TargetContent.Staged(opening, file, bases);
            TargetStore store = content.OpenStore(
                new FileBlockDevice(file, paths.PathOf(DataLeaf(opening)), Side.Destination), opening.Session);
            try
            {
                store.HashUnknown((done, total) => opening.Progress(ProgressPhase.Hashing, done, total), opening.CancellationToken);
                store.Checkpoint();
                return new StagedTarget(opening, store, content.State, content.BaseUsed, content.Notice);
            }
            catch
            {
                store.Dispose();
                throw;
            }
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public (string Path, string Why) KeepRound(uint round)
    {
        try
        {
            return KeptRounds.Keep(_paths, DataLeaf(_opening), round);
        }
        catch (LinuxException exception)
        {
            return (string.Empty, exception.Message);
        }
    }

    /// <inheritdoc/>
    public void PrepareFinish()
    {
        if (!_opening.InPlace)
        {
            // It was free when the copy began, which may be long ago.
            RefuseUsed(_paths.ImagePath);
        }

        Store.Checkpoint();
        TargetSealer.Prepare(_paths, DataLeaf(_opening), Store.Map, _opening.Request);
        _preparedRoot = Store.Root();
    }

    /// <inheritdoc/>
    public void PrepareTail(TailSealRecord seal)
    {
        if (_opening.InPlace)
        {
            throw TailSealer.OnlyStaged(StagedAs);
        }

        TailSealer.Stage(_paths, seal, Store.Missing);
    }

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

        if (_preparedRoot != root)
        {
            PrepareFinish();
        }

        if (seal.IsIncomplete)
        {
            TailSealer.Adopt(_paths, seal);
        }
        else
        {
            TargetSealer.Conclude(_paths, DataLeaf(_opening), Store.Geometry, seal);
        }

        Store.Dispose();
        return _paths.ImagePath;
    }

    /// <inheritdoc/>
    public void Discard()
    {
        if (_opening.InPlace)
        {
            return;
        }

        Store.Fence();
        TailSealer.Forget(_paths, new TailLeaves(_paths.Staged));
        foreach (string leaf in new[] { _paths.Staged, _paths.Journal, _paths.PartialMap })
        {
            _paths.Remove(leaf);
        }

        _paths.Flush();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Store.Dispose();
        _paths.Dispose();
    }

    private static TargetContent OpenInPlace(TargetOpening opening, LinuxFile file)
    {
        using PagedMap? known = BaseCatalog.OpenTrustedMap(opening.Paths, opening.Geometry.Granularity);
        TargetContent content = TargetContent.InPlace(opening, known, file.Length() == opening.Geometry.Length);
        if (file.Length() != opening.Geometry.Length)
        {
            file.SetLength(opening.Geometry.Length);
        }

        return content;
    }

    private static string DataLeaf(TargetOpening opening) => opening.InPlace ? opening.Paths.Leaf : opening.Paths.Staged;

    /// <summary>A run that writes the image in place has its journal where a staged copy would have it.</summary>
    private static void RefuseWritten(TargetPaths paths)
    {
        if (paths.StatOf(paths.Leaf) is not { Kind: FileKind.Regular })
        {
            return;
        }

        LinuxFile image;
        try
        {
            image = paths.OpenFile(paths.Leaf, LinuxOpen.ReadOnly);
        }
        catch (LinuxException exception) when (exception.IsDenied)
        {
            // Who may not read it cannot have been writing it in place either.
            return;
        }

        using (image)
        {
            if (!TargetLock.IsFree(image))
            {
                throw new DiskSyncException(
                    FailureKind.Preflight,
                    $"destination {paths.ImagePath}: another run is writing it in place",
                    "Wait for it; 'disksync status' on the destination host shows it, 'disksync abort' stops it.");
            }
        }
    }

    private static void RefuseUsed(string path)
    {
        IReadOnlyList<string> uses = DestinationCheck.FindUse(path);
        if (uses.Count > 0)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"destination {path} is in use: {string.Join("; ", uses)}",
                "Stop what uses it, or choose another name.");
        }
    }
}
