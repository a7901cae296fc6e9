using DiskSync.Engine;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Exports;
using DiskSync.Engine.Targets;
using DiskSync.Linux;

namespace DiskSync.Handoff.Ownership;

/// <summary>An image opened for writing by an export, and all that keeps others from writing or moving it meanwhile.</summary>
/// <remarks>
/// This host must be its owner, or nobody must ever have handed it over (design section 5). Held until disposed: the
/// serving lock, so that no hand-over of it begins but one that this export lends it to; the file's own lock, or the exclusive opening of a device,
/// so that no other run of ours and no mount can begin. A guest's QEMU takes neither: it is looked for once.
/// </remarks>
public sealed class ExportRight : IDisposable
{
    /// <summary>What a staged copy's name ends in.</summary>
    internal const string PartialSuffix = ".partial";
    private readonly IDisposable? _lock;

    private ExportRight(IDisposable? serving, LinuxBlockDevice image, string? identity)
    {
        _lock = serving;
        Identity = identity;
        Image = image;
    }

    /// <summary>The image's identity; null for a device without a lasting name, which cannot be handed over.</summary>
    public string? Identity { get; }

    /// <summary>The image; this object's.</summary>
    public IBlockDevice Image { get; }

    /// <summary>Opens an image for writing, where this host may.</summary>
    /// <param name="path">A regular file or a block device.</param>
    /// <param name="journal">This host's ownership journal.</param>
    /// <param name="locks">The locks of images.</param>
    /// <param name="images">Looks at seals and ceded names.</param>
    /// <exception cref="DiskSyncException">It may not be written here, somebody uses it, or it cannot be opened.</exception>
    public static ExportRight Acquire(string path, IOwnershipJournal journal, IOwnershipLocks locks, IImageWitness images)
    {
        ArgumentNullException.ThrowIfNull(journal);
        ArgumentNullException.ThrowIfNull(locks);
        ArgumentNullException.ThrowIfNull(images);
        if (FileStat.IfExists(path) is { Kind: FileKind.BlockDevice } && DeviceIdentity.Find(path) is null)
        {
            // What has no lasting name cannot be handed over, so nobody has; its exclusive opening is all there is to hold.
            return new ExportRight(null, ExportedImage.Open(path), null);
        }

        string identity = ImageIdentity.Of(path);
        if (identity.EndsWith(PartialSuffix, StringComparison.Ordinal))
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"source {path}: it is the partial copy of an image (safety rule 7)",
                "Run the push again that makes it whole, or export it with --read-only.");
        }

        // An attempt that is under way, or being resolved, holds the moving lock; later ones see that the image is served.
        using IDisposable moving = locks.TryAcquire([identity]) ?? throw OwnershipErrors.Busy([identity]);
        IDisposable serving = locks.TryServe(identity) ?? throw OwnershipErrors.Busy([identity]);
        try
        {
            OwnershipJudgement judgement = OwnershipJudge.Judge(journal.Read(), identity, images.Look(identity));
            if (judgement.Verdict is not (OwnershipVerdict.Unseen or OwnershipVerdict.Owner))
            {
                throw OwnershipErrors.MayNot(judgement, Side.Source);
            }

            return new ExportRight(serving, ExportedImage.Open(path), identity);
        }
        catch
        {
            serving.Dispose();
            throw;
        }
    }

    /// <summary>Closes the image and keeps the right to serve it: nobody else may write it yet.</summary>
    public void CloseImage() => Image.Dispose();

    /// <summary>Lets go of the serving lock: the image is another host's, and nothing is written here any more until it comes back.</summary>
    public void LetGo() => _lock?.Dispose();

    /// <inheritdoc/>
    public void Dispose()
    {
        Image.Dispose();
        _lock?.Dispose();
    }
}
