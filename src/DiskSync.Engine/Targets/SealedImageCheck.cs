using DiskSync.Engine.Blocks;
using DiskSync.Engine.SavedMaps;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Seal;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Linux;

namespace DiskSync.Engine.Targets;

/// <summary>Tells whether the image at a target's name still is what its seal says, and what a source has, without reading all of it.</summary>
/// <remarks>
/// A yes needs more than a seal that fits (Formats/Seal/FORMAT.md): the image stood still when it was sealed, this host has not
/// been started again since, and a read lease shows that nobody has it open for writing, has it mapped, or made a loop device of
/// it. Then a sample is read from the medium. Everything else is a no, after which the target is opened and compared as always.
/// </remarks>
internal static class SealedImageCheck
{
    /// <summary>Checks an image.</summary>
    /// <param name="paths">Its files.</param>
    /// <param name="request">What the source has.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="LinuxException">Something cannot be looked at.</exception>
    public static ImageChecked Run(TargetPaths paths, CheckImage request, CancellationToken cancellationToken)
    {
        BlockGeometry geometry = new((long)request.Length, (int)request.Granularity);
        string why = Objection(paths, request, geometry);
        return why.Length > 0
            ? new ImageChecked(false, paths.ImagePath, 0, why)
            : CompareSample(paths, request, geometry, cancellationToken);
    }

    private static string Objection(TargetPaths paths, CheckImage request, BlockGeometry geometry)
    {
        if (paths.StatOf(paths.Leaf) is not { Kind: FileKind.Regular } stat)
        {
            return "there is no image file of that name";
        }

        // Whoever pushes expects that nothing staged is left when it is done.
        return paths.StatOf(paths.Staged) is not null || paths.StatOf(paths.Journal) is not null ? "a staged copy stands beside it"
            : TargetSealer.ReadSeal(paths) is not { } seal ? "it has no seal"
            : seal.Geometry != geometry || seal.Root != request.Root ? "it is sealed with another content"
            : !TargetSealer.Fits(seal, stat) ? "it has changed since it was sealed"
            : seal.SettledBoot == Guid.Empty ? "its seal does not say that it stood still"
            : seal.SettledBoot != BootId.Current ? "its host was started again since it was sealed"
            : TargetSealer.ReadMapClaim(paths)?.Root != seal.Root ? "its map is gone"
            : !HasModeAndOwner(stat, request) ? "its mode or owner is to be changed"
            : DestinationCheck.FindUse(paths.ImagePath) is { Count: > 0 } uses ? uses[0]
            : string.Empty;
    }

    private static bool HasModeAndOwner(FileStat stat, CheckImage request) =>
        (request.Mode == uint.MaxValue || stat.Mode == (UnixFileMode)(request.Mode & 0x1FF))
        && (OwnerText.Parse(request.Owner) is not { } owner || (owner.User == stat.UserId && owner.Group == stat.GroupId));

    private static ImageChecked CompareSample(
        TargetPaths paths, CheckImage request, BlockGeometry geometry, CancellationToken cancellationToken)
    {
        LinuxFile file = paths.OpenFile(paths.Leaf, LinuxOpen.ReadOnly);
        using FileBlockDevice image = new(file, paths.ImagePath, Side.Destination);
        using ReadLease? lease = ReadLease.TryTake(file, out LeaseRefusal refusal);
        if (lease is null)
        {
            return No(refusal == LeaseRefusal.Writer ? "somebody has it open for writing" : "its receiver can take no lease on it");
        }

        // Again, under the lease: until it was there somebody may have written, or put another file in its place.
        if (TargetSealer.ReadSeal(paths) is not { } seal || seal.Root != request.Root || !TargetSealer.Fits(seal, file.Stat()))
        {
            return No("it has changed since it was sealed");
        }

        if (BlockAudit.FirstDifference(image, geometry, request.Sample, cancellationToken) is { } wrong)
        {
            return No($"block {wrong} at offset {geometry.OffsetOf(wrong)} is not what its seal says, although nothing tells of a change");
        }

        return lease.IsHeld && TargetSealer.Fits(seal, file.Stat()) && paths.StatOf(paths.Leaf)?.IsSameFileAs(file.Stat()) == true
            ? new ImageChecked(true, paths.ImagePath, (ulong)request.Sample.Sum(s => geometry.LengthOf((long)s.Block)), string.Empty)
            : No("somebody opened it for writing meanwhile");

        ImageChecked No(string reason) => new(false, paths.ImagePath, 0, reason);
    }
}
