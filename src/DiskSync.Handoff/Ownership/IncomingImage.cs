using DiskSync.Engine;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Exports;
using DiskSync.Engine.Tail;
using DiskSync.Engine.Targets;
using DiskSync.Formats.Seal;
using DiskSync.Formats.Tail;
using DiskSync.Linux;

namespace DiskSync.Handoff.Ownership;

/// <summary>An image at a destination that an export serves from the moment at which this host owns it (<c>export --incoming</c>).</summary>
/// <remarks>
/// It takes no lock before this host's journal says OWNER and the finished image carries the seal of that very epoch. Whoever
/// finishes the hand-over holds the moving lock then, and keeps it while the resume command runs, whose guest must be served
/// already; so the serving lock is taken without it. docs/ownership.md, "An export at the destination", says why no two writers
/// come of that. Not thread safe.
/// </remarks>
public sealed class IncomingImage : IIncomingImage
{
    private readonly string _path;
    private readonly string _identity;
    private readonly IOwnershipJournal _journal;
    private readonly IOwnershipLocks _locks;
    private readonly ImagePlaces _places;
    private readonly IImageWitness _witness;
    private IncomingStanding _refusal;
    private string? _refusedAt;
    private IDisposable? _serving;
    private LinuxBlockDevice? _image;
    private IncomingTail? _tail;
    private bool _wasAwaited;

    /// <summary>Waits for an image.</summary>
    /// <param name="path">Where it will stand: a file's name, or a block device.</param>
    /// <param name="journal">This host's ownership journal.</param>
    /// <param name="locks">The locks of images.</param>
    /// <param name="places">Where seals stand.</param>
    /// <param name="witness">Looks at them.</param>
    /// <exception cref="DiskSyncException">There cannot be such an image, or its folder is not there.</exception>
    public IncomingImage(string path, IOwnershipJournal journal, IOwnershipLocks locks, ImagePlaces places, IImageWitness witness)
    {
        try
        {
            _identity = ImageIdentity.Of(path);
        }
        catch (LinuxException exception)
        {
            throw new DiskSyncException(FailureKind.Preflight, $"destination {exception.Message}", "Name the image as it will be called here.", exception);
        }

        _path = ImageIdentity.IsDevice(_identity) ? path : _identity;
        _journal = journal;
        _locks = locks;
        _places = places;
        _witness = witness;
    }

    /// <summary>The image's identity.</summary>
    public string Identity => _identity;

    /// <summary>Where it will stand.</summary>
    public string Path => _path;

    /// <summary>How long the image is or will be, in bytes, and what requests have to be multiples of; null where nothing says so yet.</summary>
    /// <remarks>A file is as long as its staged copy, once a session has begun that; a device tells always.</remarks>
    /// <exception cref="DiskSyncException">The image cannot arrive here: its state must be resolved first.</exception>
    public (long Length, int Alignment)? Shape()
    {
        OwnershipJudgement judgement = Judge();
        switch (judgement.Verdict)
        {
            case OwnershipVerdict.InDoubt or OwnershipVerdict.Paused or OwnershipVerdict.Ceded or OwnershipVerdict.Returning:
                throw OwnershipErrors.MayNot(judgement, Side.Destination);
            case var _ when ImageIdentity.IsDevice(_identity):
                using (IBlockDevice device = BlockDevices.OpenSource(_path))
                {
                    return (device.Length, device.Alignment);
                }

            case OwnershipVerdict.Owner or OwnershipVerdict.OwnerUnfinished when FileStat.IfExists(_path) is { } stat:
                return (stat.Size, 1);
            case OwnershipVerdict.Incomplete or OwnershipVerdict.IncompleteUnfinished when FileStat.IfExists(NameOf(judgement)) is { } stat:
                return (stat.Size, 1);
            default:
                return FileStat.IfExists(_path + ExportRight.PartialSuffix) is { Kind: FileKind.Regular, Size: > 0 } staged ? (staged.Size, 1) : null;
        }
    }

    /// <inheritdoc/>
    public IncomingStanding Look()
    {
        try
        {
            // A guest's BIOS or a curious client may ask again and again while nothing changes.
            string? stamp = _journal.Stamp();
            if (stamp is not null && string.Equals(stamp, _refusedAt, StringComparison.Ordinal))
            {
                return _refusal;
            }

            IncomingStanding standing = Look(Judge());
            bool isLasting = standing.Image is null && !standing.IsSoon && string.Equals(stamp, _journal.Stamp(), StringComparison.Ordinal);
            (_refusal, _refusedAt) = (standing, isLasting ? stamp : null);
            return standing;
        }
        catch (Exception exception) when (exception is DiskSyncException or IOException or UnauthorizedAccessException)
        {
            return new IncomingStanding(null, IsSoon: false, exception.Message);
        }
    }

    /// <summary>Closes the image and keeps the right to serve it: nobody else may write it yet.</summary>
    public void CloseImage() => _image?.Dispose();

    /// <summary>Lets go of the serving lock: the image is another host's, and nothing is written here any more until it comes back.</summary>
    public void LetGo() => _serving?.Dispose();

    /// <inheritdoc/>
    public void Dispose()
    {
        _image?.Dispose();
        _tail?.Map.Dispose();
        _tail?.Files.Dispose();
        _serving?.Dispose();
    }

    private IncomingStanding Look(OwnershipJudgement judgement)
    {
        if (judgement.Verdict is OwnershipVerdict.Owner or OwnershipVerdict.Incomplete)
        {
            // RUNNING: nobody else is bound to hold the moving lock, so this is an export like any other.
            using IDisposable? moving = _locks.TryAcquire([_identity], besideExports: true);
            return moving is null ? Soon("another disksync process is moving it") : Serve(judgement);
        }

        if (judgement.Verdict is OwnershipVerdict.OwnerUnfinished or OwnershipVerdict.IncompleteUnfinished)
        {
            return IsFinished(judgement) ? Serve(judgement) : Soon("it is owned here and is being finished ('disksync owner' finishes it where nobody does)");
        }

        return new IncomingStanding(null, IsSoon: false, $"destination {_identity} is not owned by this host yet, so nothing of it is served");
    }

    private IncomingStanding Serve(OwnershipJudgement judgement)
    {
        IDisposable? serving = _locks.TryServe(_identity);
        if (serving is null)
        {
            return Soon("another export serves it");
        }

        LinuxBlockDevice? image = null;
        try
        {
            // Without the moving lock it must still be unfinished now: a migration away begins only after RUNNING, which
            // comes after the lock that was just taken, and sees it.
            OwnershipJudgement now = Judge();
            if (now.Verdict != judgement.Verdict || now.Epoch != judgement.Epoch)
            {
                return Soon("it is changing hands");
            }

            // Whoever finished it may have been killed before these names were durable, and the first write makes the copy's
            // journal worthless.
            FileSystemCalls.SyncDirectory(System.IO.Path.GetDirectoryName(_places.StemOf(_identity)) ?? "/");

            // Taken last: its lock is let go by the receiver when it has finished.
            image = ExportedImage.Open(NameOf(judgement));
            _tail = judgement.Last!.Kind.IsIncomplete() ? OpenTail(judgement, image.Length) : null;
            (_serving, _image) = (serving, image);
            return new IncomingStanding(_image, IsSoon: false, string.Empty) { Tail = _tail, Untouched = Untouched(judgement, image) };
        }
        catch (DiskSyncException exception) when (exception.Kind == FailureKind.Preflight)
        {
            return Soon(exception.Message);
        }
        finally
        {
            if (_image is null)
            {
                image?.Dispose();
                serving.Dispose();
            }
        }
    }

    /// <summary>The image's seal, where it came here while this process waited for it and is still the file that was sealed.</summary>
    /// <remarks>
    /// A process that began later does not know whether the host was started again since, which may keep a write and lose its time.
    /// Of a device nothing tells that it was not written.
    /// </remarks>
    private SealRecord? Untouched(OwnershipJudgement judgement, LinuxBlockDevice image)
    {
        try
        {
            return _wasAwaited && image is FileBlockDevice file
                && SealFile.Read(_identity) is { } seal && seal.Epoch == judgement.Epoch && SealFile.Fits(seal, file.Handle.Stat())
                ? seal
                : null;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private IncomingTail OpenTail(OwnershipJudgement judgement, long length)
    {
        TailFiles files = TailFiles.Of(_identity);
        try
        {
            ulong epoch = judgement.Last!.Epoch;
            TailSealRecord seal = files.RequireSeal(epoch);
            TailConclusion conclusion = new(_journal, new FileTailImages(), _locks, TimeProvider.System);
            return new IncomingTail(epoch, files, seal, files.OpenMap(length, epoch), new IncomingTailCompletion(_identity, conclusion));
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    // Where the finish of a whole image was cut off after its name, that is its name.
    private string NameOf(OwnershipJudgement judgement) =>
        judgement.Last?.Kind.IsIncomplete() == true && judgement.Witness.IncompleteEpoch == judgement.Last.Epoch
            ? TailFiles.IncompleteName(_path, judgement.Last.Epoch)
            : _path;

    private static bool IsFinished(OwnershipJudgement judgement) => judgement.Last!.Kind.IsIncomplete()
        ? judgement.Witness.HasTail && judgement.Witness.IncompleteEpoch == judgement.Last.Epoch
        : judgement.Witness.Exists && judgement.Witness.SealEpoch == judgement.Last.Epoch;

    private IncomingStanding Soon(string why) => new(null, IsSoon: true, $"destination {_identity}: {why}");

    private OwnershipJudgement Judge()
    {
        OwnershipJudgement judgement = OwnershipJudge.Judge(_journal.Read(), _identity, _witness.Look(_identity));
        _wasAwaited |= judgement.Verdict is not (OwnershipVerdict.Owner or OwnershipVerdict.OwnerUnfinished);
        return judgement;
    }
}
