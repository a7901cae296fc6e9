using DiskSync.Engine.Targets;
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

    /// <summary>A whole image gets its name, then its seal.</summary>
    /// <exception cref="DiskSyncException">The image is under neither name, or under both.</exception>
    public static void GiveName(TargetPaths paths, TailSealRecord seal)
    {
        string incomplete = paths.Leaf + TargetPaths.IncompleteEnding + seal.Epoch;
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
        paths.Remove(leaves.Seal);
    }
}
