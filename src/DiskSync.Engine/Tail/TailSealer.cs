using DiskSync.Engine.Dirty;
using DiskSync.Engine.Journal;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Targets;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Presence;
using DiskSync.Formats.Seal;
using DiskSync.Formats.Tail;
using DiskSync.Linux;

namespace DiskSync.Engine.Tail;

/// <summary>The files of an image with a tail, in an order that a kill or a power cut cannot tear (Formats/Tail/FORMAT.md).</summary>
internal static class TailSealer
{
    /// <summary>A tail seal, or null where there is none.</summary>
    /// <exception cref="Formats.FormatViolationException">There is one that cannot be read.</exception>
    public static TailSealRecord? ReadSeal(TargetPaths paths, string leaf)
    {
        if (paths.StatOf(leaf) is null)
        {
            return null;
        }

        byte[] bytes = new byte[TailSealCodec.MaxSize + 1];
        using LinuxFile file = paths.OpenFile(leaf, LinuxOpen.ReadOnly | LinuxOpen.NoFollow);
        return TailSealCodec.Decode(bytes.AsSpan(0, file.ReadAt(bytes, 0)));
    }

    /// <summary>Makes durable beside a staged copy which of its blocks are missing, and where they are.</summary>
    /// <param name="paths">The target's files.</param>
    /// <param name="seal">Where they are.</param>
    /// <param name="missing">The missing blocks, of the seal's geometry.</param>
    public static void Stage(TargetPaths paths, TailSealRecord seal, RunSet missing)
    {
        TailLeaves leaves = new(paths.Staged);
        PresenceHeader header = new(seal.Geometry.Length, Guid.NewGuid(), seal.Attempt, seal.Epoch, seal.Root, seal.MadeAtMs);

        // No notes: the first export that serves the image makes them.
        PresenceMap.Create(
            new FileJournalPlace(paths, leaves.Presence), new InMemoryStateFile(), header, Present(header, seal.Geometry, missing), BootId.Current).Dispose();
        TargetSealer.WriteWhole(paths, leaves.Seal, TailSealCodec.Encode(seal));
    }

    /// <summary>Gives a staged copy the name of an image that is owned and not whole.</summary>
    /// <remarks>Presence map, image, tail seal, each durable before the next; begun again it goes on where it stopped.</remarks>
    /// <exception cref="DiskSyncException">There is no tail seal of that attempt.</exception>
    public static void Adopt(TargetPaths paths, SealRequest seal)
    {
        TailLeaves staged = new(paths.Staged);
        TailLeaves own = new(paths.Leaf);
        if (!Is(ReadSeal(paths, staged.Seal), seal))
        {
            throw TargetSealer.Lost(paths, seal);
        }

        // What stands under its name is replaced, as it would be by a copy that is whole: nobody is to start it by habit.
        paths.Remove(paths.Seal);
        paths.Remove(own.Seal);
        paths.Remove(own.Notes);
        paths.Remove(own.Written);
        paths.Remove(own.Hashes);
        paths.Flush();
        paths.Remove(paths.Leaf);
        paths.Remove(paths.Map);
        Move(paths, staged.Presence, own.Presence);
        Move(paths, paths.Staged, NumberedNames.Incomplete.NameOf(paths.Leaf, seal.Epoch));
        Move(paths, staged.Seal, own.Seal);
        TargetSealer.CleanUp(paths);
    }

    /// <summary>Does again whatever of it a kill has left out.</summary>
    /// <exception cref="DiskSyncException">The copy cannot be shown to be what the record says.</exception>
    public static void AdoptAgain(TargetPaths paths, SealRequest seal)
    {
        string incomplete = NumberedNames.Incomplete.NameOf(paths.Leaf, seal.Epoch);
        bool isNamed = paths.StatOf(incomplete) is not null;
        if (Is(ReadSeal(paths, new TailLeaves(paths.Leaf).Seal), seal))
        {
            // Written last, so all is done; a whole image may have got its own name since.
            if (!isNamed && paths.StatOf(paths.Leaf) is null)
            {
                throw TargetSealer.Lost(paths, seal);
            }

            TargetSealer.CleanUp(paths);
            return;
        }

        if (!isNamed && (paths.StatOf(paths.Staged) is not { } stat || stat.Size != TargetSealer.Prove(paths, seal, putBeside: null).Length))
        {
            throw TargetSealer.Lost(paths, seal);
        }

        Adopt(paths, seal);
    }

    /// <summary>The refusal of a tail where the target is written in place.</summary>
    public static DiskSyncException OnlyStaged(string target) => new(
        FailureKind.Preflight,
        $"destination {target}: it is written in place, and only the staged copy of an image file can have a tail",
        "Leave out --tail, or migrate to a file without --inplace.");

    /// <summary>A whole image gets its name, then its seal.</summary>
    /// <exception cref="DiskSyncException">The image is under neither name, or under both.</exception>
    public static void GiveName(TargetPaths paths, TailSealRecord seal)
    {
        string incomplete = NumberedNames.Incomplete.NameOf(paths.Leaf, seal.Epoch);
        bool isIncomplete = paths.StatOf(incomplete) is not null;
        if (isIncomplete == paths.StatOf(paths.Leaf) is not null)
        {
            throw new DiskSyncException(
                FailureKind.OwnershipInDoubt,
                $"destination {paths.ImagePath}: cannot give the image its name: {(isIncomplete ? "both it and" : "neither it nor")} {incomplete} {(isIncomplete ? "exist" : "exists")}",
                isIncomplete ? "Only the latter is what DiskSync left here: move the other away." : "Put the image back under one of the two names.");
        }

        if (isIncomplete)
        {
            paths.Remove(paths.Seal);
            paths.Remove(paths.Map);
            paths.Flush();
            paths.Rename(incomplete, paths.Leaf);
        }

        // Also where the name was found given: the crash that interrupted us may have come before the flush.
        paths.Flush();
        TargetSealer.WriteWhole(paths, paths.Seal, SealCodec.Encode(new SealRecord(
            paths.Leaf, seal.Epoch, seal.Geometry, seal.Root, seal.Attempt, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), default)));
    }

    /// <summary>Removes map, notes and tail seal; the seal last, as it is what says that there is something to remove.</summary>
    public static void Forget(TargetPaths paths, TailLeaves leaves)
    {
        paths.Remove(leaves.Notes);
        paths.Remove(leaves.Presence);
        paths.Remove(leaves.Written);
        paths.Remove(leaves.Hashes);
        paths.Remove(leaves.Seal);
    }

    private static bool Is(TailSealRecord? found, SealRequest seal) => found is not null && found.Epoch == seal.Epoch && found.Attempt == seal.Attempt;

    private static void Move(TargetPaths paths, string from, string to)
    {
        if (paths.StatOf(from) is not null)
        {
            paths.Rename(from, to);
        }

        paths.Flush();
    }

    /// <summary>The parts of a copy that are in it: a block's are all there or all missing.</summary>
    private static IEnumerable<PresenceRange> Present(PresenceHeader header, BlockGeometry geometry, RunSet missing)
    {
        long parts = geometry.Granularity / PresenceHeader.PartSize;
        long from = 0;
        foreach (BlockRun run in missing.Runs)
        {
            long first = run.First * parts;
            if (first > from)
            {
                yield return new PresenceRange(from, first - from);
            }

            from = Math.Min(run.End * parts, header.PartCount);
        }

        if (from < header.PartCount)
        {
            yield return new PresenceRange(from, header.PartCount - from);
        }
    }
}
