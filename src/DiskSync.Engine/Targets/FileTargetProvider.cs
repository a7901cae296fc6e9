using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Peers;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Tail;
using DiskSync.Engine.Targets.Seeds;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Linux;

namespace DiskSync.Engine.Targets;

/// <summary>Targets and bases below one folder of this host, which is as far as a peer can reach.</summary>
/// <remarks>Thread safe. Owns the root's handle.</remarks>
public sealed class FileTargetProvider : ITargetProvider, IDisposable
{
    private readonly LinuxFile _root;
    private readonly BaseCatalog _bases;
    private readonly string _stateFolder;

    /// <summary>Opens a root.</summary>
    /// <param name="root">The folder.</param>
    /// <param name="stateFolder">Where devices' state lives (safety rule 9).</param>
    /// <exception cref="DiskSyncException">The folder cannot be opened.</exception>
    public FileTargetProvider(string root, string stateFolder)
    {
        try
        {
            _root = LinuxFile.Open(Path.GetFullPath(root), LinuxOpen.Directory);
        }
        catch (LinuxException exception)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"destination {exception.Message}",
                "Create the folder, or name another.",
                exception);
        }

        _bases = new BaseCatalog(_root);
        _stateFolder = stateFolder;
    }

    /// <summary>The root's full path.</summary>
    public string Root => _root.Path;

    /// <summary>Images that this very process sends: none of them may be its own target.</summary>
    public IReadOnlyList<string> Sources { get; init; } = [];

    /// <summary>The URI of the NBD export that is the one and only target, or null. Never what a peer names: that must not make this host connect anywhere.</summary>
    public string? NbdTarget { get; init; }

    /// <summary>This host's key and peers for an NBD target over TLS; null for the usual folder.</summary>
    public KeyFolder? Keys { get; init; }

    /// <inheritdoc/>
    public IReadOnlyList<BaseOffer> ListBases(ListBases request) => NbdTarget is null ? _bases.List(request) : [];

    /// <inheritdoc/>
    public PagedMap? OpenBaseMap(Hash256 root, BlockGeometry geometry) => _bases.OpenMap(root, geometry.Granularity);

    /// <inheritdoc/>
    public ISeedLibrary? OpenSeeds(int granularity, CancellationToken cancellationToken)
    {
        if (NbdTarget is not null)
        {
            return null;
        }

        IReadOnlyList<BaseImage> images = _bases.OpenSeeds(granularity, SeedIndex.MaxImages, cancellationToken);
        return images.Count == 0 ? null : new SeedLibrary(images, cancellationToken);
    }

    /// <inheritdoc/>
    public ImageChecked Check(CheckImage request, CancellationToken cancellationToken)
    {
        if (NbdTarget is { } uri)
        {
            return new ImageChecked(false, uri, 0, "nobody can tell who has written to an NBD export");
        }

        using TargetPaths paths = TargetPaths.Open(_root, request.Name);
        RefuseSource(paths, paths.StatOf(paths.Leaf));
        try
        {
            return SealedImageCheck.Run(paths, request, cancellationToken);
        }
        catch (LinuxException exception)
        {
            return new ImageChecked(false, paths.ImagePath, 0, exception.Message);
        }
    }

    /// <inheritdoc/>
    public ITarget Open(
        OpenImage request,
        Guid session,
        Action<ProgressPhase, long, long> progress,
        Action guard,
        CancellationToken cancellationToken)
    {
        if (request.Length == 0 || !BlockGeometry.TryCreate((long)Math.Min(request.Length, long.MaxValue), request.Granularity, out BlockGeometry geometry))
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"destination: an image of {request.Length} bytes with a granularity of {request.Granularity} is outside the limits",
                "The granularity is a power of two from 4K to 4M, the length at most 4 PiB.");
        }

        if (NbdTarget is not null)
        {
            RefuseSourceExport(NbdTarget);
        }

        TargetPaths paths = NbdTarget is null ? TargetPaths.Open(_root, request.Name) : NbdTargetFiles.Open(_stateFolder, NbdTarget);
        try
        {
            if (NbdTarget is { } uri)
            {
                return DeviceTarget.OpenNbd(new(paths, geometry, request, session, progress, guard, cancellationToken), uri, Keys);
            }

            RefuseMissing(paths, request);
            TargetOpening opening = new(paths, geometry, request, session, progress, guard, cancellationToken);
            FileStat? named = Named(paths);
            RefuseSource(paths, named);
            RefuseSource(paths, paths.StatOf(paths.Staged));
            return named?.Kind == FileKind.BlockDevice
                ? DeviceTarget.Open(opening, _stateFolder)
                : StagedTarget.Open(opening, _bases);
        }
        catch (LinuxException exception)
        {
            string image = paths.ImagePath;
            paths.Dispose();
            throw Translate(image, exception);
        }
        catch
        {
            paths.Dispose();
            throw;
        }
    }

    /// <summary>Finishes a target whose hand-over was decided before this session began: renames and seals what is staged.</summary>
    /// <param name="identity">The image, as <see cref="IdentityOf"/> named it.</param>
    /// <param name="seal">What the seal is to record.</param>
    /// <exception cref="DiskSyncException">It is not below this root, or neither the staged copy nor the image is what the record says.</exception>
    public void FinishAgain(string identity, SealRequest seal)
    {
        using TargetPaths paths = PathsOf(identity);
        if (seal.IsIncomplete)
        {
            TailSealer.AdoptAgain(paths, seal);
        }
        else
        {
            TargetSealer.FinishAgain(paths, seal);
        }
    }

    /// <summary>Whether an image holds what a root says, by reading all of it.</summary>
    /// <param name="identity">The image, as <see cref="IdentityOf"/> named it.</param>
    /// <param name="root">The root.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    public bool HasRoot(string identity, Hash256 root, CancellationToken cancellationToken)
    {
        using TargetPaths paths = PathsOf(identity);
        return TargetSealer.ReadSeal(paths) is { } seal && seal.Root == root
            && TargetSealer.Holds(paths, seal.Geometry, root, cancellationToken);
    }

    /// <summary>Whether nothing was ever written to an image with a tail: its export counts a write before it does it.</summary>
    /// <param name="identity">The image, as <see cref="IdentityOf"/> named it.</param>
    /// <param name="attempt">The attempt that handed it over.</param>
    public bool WasNeverWritten(string identity, Guid attempt)
    {
        using TargetPaths paths = PathsOf(identity);
        using TailFiles files = TailFiles.Of(paths.ImagePath);
        return files.Written(attempt) is { Bytes: 0, Most: 0 };
    }

    /// <summary>Looks whether somebody has an image open: a guest that was started on it, whatever became of the command that did it.</summary>
    /// <param name="identity">The image, as <see cref="IdentityOf"/> named it.</param>
    /// <param name="incomplete">The EPOCH of the name NAME.incomplete-EPOCH that it has; 0 where it has its own.</param>
    /// <exception cref="DiskSyncException">Somebody has (kind Preflight).</exception>
    public void RefuseOpen(string identity, ulong incomplete = 0)
    {
        if (ImageIdentity.IsNbd(identity))
        {
            // Who else is connected to its server nobody tells us.
            return;
        }

        using TargetPaths paths = PathsOf(identity);
        string leaf = incomplete == 0 ? paths.Leaf : NumberedNames.Incomplete.NameOf(paths.Leaf, incomplete);
        List<string> uses = [.. DestinationCheck.FindUse(paths.IsDevice ? paths.ImagePath : paths.PathOf(leaf))];
        using LinuxFile image = OpenImage(paths, leaf);
        if (!paths.IsDevice && image.TryBeAlone() == false)
        {
            uses.Add("a process has it open");
        }

        if (uses.Count > 0)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"destination {paths.ImagePath} is in use: {string.Join("; ", uses)}",
                "Stop the guest that uses it first; if it has run, migrate it back instead: disksync migrate, from here to the old source.");
        }
    }

    /// <summary>The identity of a target for the ownership journal: its full path, whatever links lead to its folder.</summary>
    /// <param name="name">The target's name below the root.</param>
    public string IdentityOf(string name)
    {
        if (NbdTarget is { } uri)
        {
            return ImageIdentity.Of(uri);
        }

        using TargetPaths paths = TargetPaths.Open(_root, name);
        return ImageIdentity.Of(paths.ImagePath);
    }

    /// <inheritdoc/>
    public void Dispose() => _root.Dispose();

    private TargetPaths PathsOf(string identity)
    {
        if (!ImageIdentity.IsDevice(identity))
        {
            return TargetPaths.Open(_root, NameOf(identity));
        }

        if (ImageIdentity.IsNbd(identity))
        {
            return NbdTargetFiles.Find(_stateFolder, identity);
        }

        string id = identity[ImageIdentity.DevicePrefix.Length..];
        string device = DeviceIdentity.FindPath(id) ?? throw new DiskSyncException(
            FailureKind.OwnershipInDoubt,
            $"destination {identity}: the device is owned here, but it is not attached to this host now",
            "Attach it, then run 'disksync owner' for it.");
        return TargetPaths.OfDevice(_stateFolder, id, device, device);
    }

    private static LinuxFile OpenImage(TargetPaths paths, string leaf)
    {
        try
        {
            return paths.IsDevice
                ? LinuxFile.Open(paths.ImagePath, LinuxOpen.ReadWrite | LinuxOpen.Exclusive)
                : paths.OpenFile(leaf, LinuxOpen.ReadWrite);
        }
        catch (LinuxException exception)
        {
            throw Translate(paths.ImagePath, exception);
        }
    }

    private string NameOf(string identity)
    {
        string root = ImageIdentity.FolderOf(_root.Path);
        string prefix = root == "/" ? root : root + "/";
        return identity.StartsWith(prefix, StringComparison.Ordinal)
            ? identity[prefix.Length..]
            : throw new DiskSyncException(
                FailureKind.OwnershipInDoubt,
                $"destination {identity}: it is owned here, but not below {_root.Path}, so it cannot be finished from here",
                "Start the receiver with the --root that it had when the image was received.");
    }

    private static FileStat? Named(TargetPaths paths)
    {
        FileStat? stat = paths.StatOf(paths.Leaf);
        if (stat?.Kind == FileKind.SymbolicLink)
        {
            // The kernel follows the link as far as the folder reaches, and no further.
            using LinuxFile target = paths.OpenFile(paths.Leaf, LinuxOpen.Reference);
            stat = target.Stat();
        }

        return stat is { Kind: FileKind.Directory or FileKind.Other }
            ? throw new DiskSyncException(
                FailureKind.Preflight,
                $"destination {paths.ImagePath}: it is neither a file nor a block device",
                "Name the image, not a folder; a folder ends in a slash.")
            : stat;
    }

    private void RefuseSource(TargetPaths paths, FileStat? written)
    {
        foreach (string source in Sources.Where(s => !NbdImage.IsOne(s)))
        {
            using LinuxFile sent = LinuxFile.Open(source, LinuxOpen.Reference);
            if (written?.IsSameFileAs(sent.Stat()) == true)
            {
                throw new DiskSyncException(
                    FailureKind.Preflight,
                    $"destination {paths.ImagePath}: it is the same file as the source {source}; nothing was written",
                    "Name another destination.");
            }
        }
    }

    private void RefuseSourceExport(string uri)
    {
        if (Sources.FirstOrDefault(s => NbdImage.IsOne(s) && ImageIdentity.Of(s) == ImageIdentity.Of(uri)) is { } source)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"destination {uri}: it is the same export as the source {source}; nothing was written",
                "Name another destination.");
        }
    }

    private static void RefuseMissing(TargetPaths paths, OpenImage request)
    {
        if (request.Flags.HasFlag(OpenFlags.InPlace) && paths.StatOf(paths.Leaf) is null)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"destination {paths.ImagePath}: there is nothing to write in place",
                "Leave --inplace out to create the image.");
        }
    }

    private static DiskSyncException Translate(string image, LinuxException exception) => new(
        exception.IsDenied || exception.Errno is Errno.EXDEV or Errno.ELOOP ? FailureKind.Preflight : FailureKind.Destination,
        $"destination {image}: {exception.Message}",
        exception switch
        {
            { IsFull: true } => "Free space there, then run the same command again.",
            { Errno: Errno.EXDEV or Errno.ELOOP } => "A link there leads out of the receiver's root: choose a name inside it.",
            { IsDenied: true } => AccessAdvice.For(exception, Path.GetDirectoryName(image)!, "the receiver"),
            _ => "Check the path at the destination.",
        },
        exception);
}
