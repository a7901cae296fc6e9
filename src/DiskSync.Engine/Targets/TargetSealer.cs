using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Replication;
using DiskSync.Formats;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Seal;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Linux;

namespace DiskSync.Engine.Targets;

/// <summary>Gives a staged copy its name and its seal, in an order that a kill cannot tear.</summary>
/// <remarks>
/// Map first, then the name, then the seal, each durable before the next; the journal goes last. Whatever a kill
/// leaves, the copy is either still staged with its journal, or has its name and can be sealed again from its map:
/// <see cref="FinishAgain"/> does that.
/// </remarks>
internal static class TargetSealer
{
    /// <summary>What can be done before the copy may have its name: mode, owner, map.</summary>
    /// <param name="paths">The target's files.</param>
    /// <param name="data">The file that holds the copy: the staged one, or the image itself.</param>
    /// <param name="map">The copy's map; all of it known.</param>
    /// <param name="request">Mode and owner asked for.</param>
    public static void Prepare(TargetPaths paths, string data, PagedMap map, OpenImage request)
    {
        GiveModeAndOwner(paths, data, request);
        WriteMap(paths, map);
    }

    /// <summary>Seals what a device holds: its map and its seal live in the state folder, its name stays.</summary>
    public static void SealDevice(TargetPaths paths, PagedMap map, SealRequest seal)
    {
        WriteMap(paths, map);
        WriteSeal(paths, map.Geometry, seal, default, Guid.Empty);
        CleanUp(paths);
    }

    /// <summary>Seals an image that stands where it is and that nobody writes: its map, then its seal.</summary>
    /// <exception cref="DiskSyncException">It is not there.</exception>
    public static void SealStanding(TargetPaths paths, PagedMap map, SealRequest seal)
    {
        WriteMap(paths, map);
        (FileStamp stamp, Guid boot) = SettledStamp.Take(paths, settle: true) ?? throw Lost(paths, seal);
        WriteSeal(paths, map.Geometry, seal, stamp, boot);
    }

    /// <summary>Does again whatever of a seal a kill has left out; what is already there is left as it is.</summary>
    /// <remarks>
    /// A length or a name proves nothing here: a seal with the record's epoch and root was written last, so all is done;
    /// else the journal of the copy must prove the root, and a copy that has its name already is read whole.
    /// </remarks>
    /// <exception cref="DiskSyncException">Neither the staged copy nor the image can be shown to be what the record says.</exception>
    public static void FinishAgain(TargetPaths paths, SealRequest seal)
    {
        if (ReadSeal(paths) is { } existing && existing.Epoch == seal.Epoch && existing.Root == seal.Root
            && (paths.IsDevice || paths.StatOf(paths.Leaf) is not null))
        {
            // What is staged beside it now is another copy, with a journal of its own.
            if (paths.StatOf(paths.Staged) is null)
            {
                CleanUp(paths);
            }

            return;
        }

        BlockGeometry geometry = Prove(paths, seal, WriteMap);
        if (paths.IsDevice)
        {
            WriteSeal(paths, geometry, seal, default, Guid.Empty);
            CleanUp(paths);
            return;
        }

        bool isStaged = paths.StatOf(paths.Staged) is not null;
        string data = isStaged ? paths.Staged : paths.Leaf;
        bool holds = isStaged
            ? paths.StatOf(data)?.Size == geometry.Length
            : paths.StatOf(paths.Seal) is null && Holds(paths, geometry, seal.Root, CancellationToken.None);
        if (!holds)
        {
            throw Lost(paths, seal);
        }

        Conclude(paths, data, geometry, seal);
    }

    /// <summary>Whether the image has a root, by reading all of it.</summary>
    public static bool Holds(TargetPaths paths, BlockGeometry geometry, Hash256 root, CancellationToken cancellationToken)
    {
        if (!paths.IsDevice && paths.StatOf(paths.Leaf)?.Size != geometry.Length)
        {
            return false;
        }

        using IBlockDevice image = OpenImage(paths);
        if (image.Length < geometry.Length)
        {
            return false;
        }

        using PagedMap map = ImageHasher.Hash(
            new ImagePrefix(image, geometry.Length), geometry, Progress.NoProgress.Instance, cancellationToken);
        return map.Root() == root;
    }

    private static IBlockDevice OpenImage(TargetPaths paths)
    {
        if (NbdImage.IsOne(paths.ImagePath))
        {
            return NbdImage.OpenSource(paths.ImagePath);
        }

        LinuxFile file = paths.IsDevice
            ? LinuxFile.Open(paths.ImagePath, LinuxOpen.ReadOnly)
            : paths.OpenFile(paths.Leaf, LinuxOpen.ReadOnly);
        return BlockDevices.Wrap(file, paths.ImagePath, Side.Destination);
    }

    /// <summary>The seal beside an image, or null where there is none that can be read.</summary>
    public static SealRecord? ReadSeal(TargetPaths paths)
    {
        if (paths.StatOf(paths.Seal) is not { Kind: FileKind.Regular, Size: <= SealCodec.MaxSize } stat)
        {
            return null;
        }

        byte[] bytes = new byte[stat.Size];
        using LinuxFile file = paths.OpenFile(paths.Seal, LinuxOpen.ReadOnly);
        int read = file.ReadAt(bytes, 0);
        try
        {
            return SealCodec.Decode(bytes.AsSpan(0, read));
        }
        catch (FormatViolationException)
        {
            return null;
        }
    }

    /// <summary>The epoch of the seal beside an image, or 0.</summary>
    public static ulong EpochOf(TargetPaths paths) => ReadSeal(paths)?.Epoch ?? 0;

    /// <summary>Whether an image is still the file, unwritten, that its seal speaks of.</summary>
    public static bool Fits(SealRecord seal, FileStat stat) => seal.Stamp == SettledStamp.Of(stat);

    /// <summary>Gives a prepared copy its name and its seal.</summary>
    public static void Conclude(TargetPaths paths, string data, BlockGeometry geometry, SealRequest seal)
    {
        using (LinuxFile file = paths.OpenFile(data, LinuxOpen.ReadWrite))
        {
            file.Sync();
        }

        if (!string.Equals(data, paths.Leaf, StringComparison.Ordinal))
        {
            // The old image's seal must not stand beside the new image, not even for a moment.
            paths.Remove(paths.Seal);

            // Nor must what an image that was never whole has left, had it been given back to its source.
            Tail.TailSealer.Forget(paths, new Tail.TailLeaves(paths.Leaf));
            paths.Flush();
            paths.Rename(data, paths.Leaf);
            paths.Flush();
        }

        (FileStamp stamp, Guid boot) = SettledStamp.Take(paths, settle: seal.Attempt == Guid.Empty) ?? throw Lost(paths, seal);
        WriteSeal(paths, geometry, seal, stamp, boot);
        CleanUp(paths);
    }

    private static void WriteSeal(TargetPaths paths, BlockGeometry geometry, SealRequest seal, FileStamp stamp, Guid boot) =>
        WriteWhole(paths, paths.Seal, SealCodec.Encode(new SealRecord(
            paths.Leaf, seal.Epoch, geometry, seal.Root, seal.Attempt, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), stamp)
        {
            SettledBoot = boot,
        }));

    /// <summary>The copy has its name: what was needed to go on with it goes.</summary>
    public static void CleanUp(TargetPaths paths)
    {
        Tail.TailSealer.Forget(paths, new Tail.TailLeaves(paths.Staged));
        paths.Remove(paths.Journal);
        paths.Remove(paths.PartialMap);
        paths.Flush();
    }

    private static void GiveModeAndOwner(TargetPaths paths, string data, OpenImage request)
    {
        FileStat? replaced = paths.StatOf(paths.Leaf);
        using LinuxFile file = paths.OpenFile(data, LinuxOpen.ReadWrite);
        (uint user, uint group)? owner = OwnerText.Parse(request.Owner)
            ?? (replaced is { } old ? (old.UserId, old.GroupId) : null);
        FileStat now = file.Stat();
        if (owner is { } wanted && (wanted.user != now.UserId || wanted.group != now.GroupId))
        {
            file.ChangeOwner(wanted.user, wanted.group);
        }

        UnixFileMode mode = request.Mode != uint.MaxValue ? (UnixFileMode)(request.Mode & 0x1FF)
            : replaced?.Mode ?? LinuxFile.OwnerOnly;
        file.ChangeMode(mode);
    }

    private static void WriteMap(TargetPaths paths, PagedMap map)
    {
        string fresh = paths.Map + ".new";
        using (LinuxFile file = paths.OpenFile(fresh, LinuxOpen.ReadWrite | LinuxOpen.Create | LinuxOpen.Truncate))
        {
            // Another reader of these bytes must not be misled by a map of an image that is not there yet: root and
            // length are in it, and the seal is what binds them to a file.
            using FileStream stream = new(file.Handle, FileAccess.Write, 1 << 16);
            BlockMapWriter writer = new(stream, map.Geometry);
            foreach (HashRun run in map.GetRuns(0, map.Geometry.BlockCount))
            {
                writer.AppendRun(run.Count, run.Hash);
            }

            writer.Finish();
            stream.Flush();
            file.DataSync();
        }

        paths.Rename(fresh, paths.Map);
        paths.Flush();
    }

    /// <summary>Takes the root from the copy's journal and its map, which stay until the seal is there.</summary>
    /// <param name="paths">The target's files.</param>
    /// <param name="seal">The root that the copy must have.</param>
    /// <param name="putBeside">Puts the map beside the image where it is not; null where it has no place there.</param>
    /// <exception cref="DiskSyncException">They do not prove it.</exception>
    public static BlockGeometry Prove(TargetPaths paths, SealRequest seal, Action<TargetPaths, PagedMap>? putBeside)
    {
        using Journal.TransferJournal journal = Journal.TransferJournal.Open(new FileJournalPlace(paths), out _) ?? throw Lost(paths, seal);
        using PagedMap map = TargetContent.OpenMap(paths, journal.Header) ?? throw Lost(paths, seal);
        if (journal.WithdrawnPages().Count > 0 || journal.UnreadPages().Count > 0 || map.Root() != seal.Root)
        {
            throw Lost(paths, seal);
        }

        if (putBeside is not null && ReadMapClaim(paths)?.Root != seal.Root)
        {
            putBeside(paths, map);
        }

        return journal.Header.Geometry;
    }

    /// <summary>What the map beside an image says it is of, or null where there is none that can be read.</summary>
    public static BlockMapClaim? ReadMapClaim(TargetPaths paths)
    {
        if (paths.StatOf(paths.Map) is null)
        {
            return null;
        }

        try
        {
            using FileStream stream = new(paths.OpenFile(paths.Map, LinuxOpen.ReadOnly).Handle, FileAccess.Read, 4096);
            return BlockMapClaim.Read(stream);
        }
        catch (FormatViolationException)
        {
            return null;
        }
    }

    /// <summary>Writes a small file whole: durable under its name, or not there.</summary>
    public static void WriteWhole(TargetPaths paths, string leaf, ReadOnlySpan<byte> bytes)
    {
        string fresh = leaf + ".new";
        using (LinuxFile file = paths.OpenFile(fresh, LinuxOpen.ReadWrite | LinuxOpen.Create | LinuxOpen.Truncate))
        {
            file.WriteAt(bytes, 0);
            file.DataSync();
        }

        paths.Rename(fresh, leaf);
        paths.Flush();
    }

    /// <summary>What is owned is not here.</summary>
    public static DiskSyncException Lost(TargetPaths paths, SealRequest seal) => new(
        FailureKind.OwnershipInDoubt,
        $"destination {paths.ImagePath}: epoch {seal.Epoch} is owned here with root {seal.Root}, but neither {paths.Staged} nor {paths.Leaf} can be shown to hold it",
        $"Do not start the guest. Look at the files, and compare with 'disksync verify {paths.ImagePath} {seal.Root}'.");
}
