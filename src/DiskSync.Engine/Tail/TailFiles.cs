using DiskSync.Codecs;
using DiskSync.Engine.Journal;
using DiskSync.Engine.Targets;
using DiskSync.Formats;
using DiskSync.Formats.Presence;
using DiskSync.Formats.Tail;
using DiskSync.Linux;

namespace DiskSync.Engine.Tail;

/// <summary>What stands beside an image with an on-demand tail: the presence map, its notes, the tail seal (Formats/Tail/FORMAT.md).</summary>
/// <remarks>Owns the folder's handle. Thread safe as far as one process at a time changes the files: whoever holds the image's locks.</remarks>
public sealed class TailFiles : IDisposable
{
    private readonly TargetPaths _paths;
    private readonly TailLeaves _leaves;

    private TailFiles(TargetPaths paths)
    {
        _paths = paths;
        _leaves = new TailLeaves(paths.Leaf);
    }

    /// <summary>The image's own name, which it has when it is whole.</summary>
    public string ImagePath => _paths.ImagePath;

    /// <summary>Finds the files beside an image.</summary>
    /// <param name="image">The image's path, as it is called when it is whole.</param>
    /// <exception cref="DiskSyncException">Its folder cannot be opened.</exception>
    public static TailFiles Of(string image)
    {
        try
        {
            using LinuxFile folder = LinuxFile.Open(Path.GetDirectoryName(Path.GetFullPath(image)) ?? "/", LinuxOpen.Directory);
            return new TailFiles(TargetPaths.Open(folder, Path.GetFileName(image)));
        }
        catch (LinuxException exception)
        {
            throw Unreadable(image, exception);
        }
    }

    /// <summary>The name of an image that is not whole.</summary>
    /// <param name="image">The image's own name.</param>
    /// <param name="epoch">The epoch that is owned.</param>
    public static string IncompleteName(string image, ulong epoch) => NumberedNames.Incomplete.NameOf(image, epoch);

    /// <summary>Whether a tail seal stands beside an image.</summary>
    /// <param name="image">The image's path, as it is called when it is whole.</param>
    public static bool IsThere(string image) => FileStat.IfExists(new TailLeaves(image).Seal, followLinks: false) is not null;

    /// <summary>How many bytes of an image are missing, whose files nobody has found yet.</summary>
    /// <param name="image">The image's path, as it is called when it is whole.</param>
    /// <returns>Null where there is no map, or none that can be read.</returns>
    public static long? MissingBytes(string image)
    {
        try
        {
            using TailFiles files = Of(image);
            return files.MissingBytes();
        }
        catch (DiskSyncException)
        {
            return null;
        }
    }

    /// <summary>How many bytes are missing as the map durably says, counted in whole parts; changes nothing, whoever has the map open.</summary>
    /// <returns>Null where there is no map, or none that can be read.</returns>
    public long? MissingBytes() => ReadMap()?.Missing;

    /// <summary>The tail seal.</summary>
    /// <param name="epoch">The epoch that the journal says is owned.</param>
    /// <exception cref="DiskSyncException">There is none of that epoch, or it cannot be read: nothing may serve the image.</exception>
    public TailSealRecord RequireSeal(ulong epoch)
    {
        try
        {
            return TailSealer.ReadSeal(_paths, _leaves.Seal) is { } seal && seal.Epoch == epoch
                ? seal
                : throw new DiskSyncException(
                    FailureKind.OwnershipInDoubt,
                    $"destination {_paths.PathOf(_leaves.Seal)}: there is no tail seal of epoch {epoch}",
                    $"'disksync owner {ImagePath}' finishes it where that is left to do.");
        }
        catch (Exception exception) when (exception is LinuxException or FormatViolationException)
        {
            throw Unreadable(_paths.PathOf(_leaves.Seal), exception);
        }
    }

    /// <summary>Opens the presence map to go on with it; only who holds the image's serving lock may.</summary>
    /// <param name="length">The image's length in bytes.</param>
    /// <param name="epoch">The epoch that is owned.</param>
    /// <returns>The map, the caller's.</returns>
    /// <exception cref="DiskSyncException">It is lost, torn or of another epoch: the image must not be served.</exception>
    public PresenceMap OpenMap(long length, ulong epoch)
    {
        DiskStateFile notes;
        try
        {
            notes = new DiskStateFile(_paths.OpenFile(_leaves.Notes, LinuxOpen.ReadWrite | LinuxOpen.Create | LinuxOpen.NoFollow), null);
        }
        catch (LinuxException exception)
        {
            throw Unreadable(_paths.PathOf(_leaves.Notes), exception);
        }

        PresenceMap? map = null;
        try
        {
            map = PresenceMap.Open(new FileJournalPlace(_paths, _leaves.Presence), notes, ImagePath, length, BootId.Current);
            return map.Header.Epoch == epoch
                ? map
                : throw new DiskSyncException(
                    FailureKind.OwnershipInDoubt,
                    $"destination {_paths.PathOf(_leaves.Presence)}: it is the map of epoch {map.Header.Epoch}, and epoch {epoch} is owned",
                    "Nothing serves the image. 'disksync owner --return --discard-writes' gives it back to its source.");
        }
        catch
        {
            map?.Dispose();
            notes.Dispose();
            throw;
        }
    }

    /// <summary>Where the block map of the source's frozen image is kept, once it has come.</summary>
    public string HashesPath => _paths.PathOf(_leaves.Hashes);

    /// <summary>Opens what says how much was written since the hand-over, to go on counting; only who holds the image's serving lock may.</summary>
    /// <returns>The file, the caller's; its name is durable with its first flush.</returns>
    /// <exception cref="DiskSyncException">It cannot be opened.</exception>
    public IStateFile OpenWritten()
    {
        try
        {
            return new DiskStateFile(
                _paths.OpenFile(_leaves.Written, LinuxOpen.ReadWrite | LinuxOpen.Create | LinuxOpen.NoFollow), _paths.Folder);
        }
        catch (LinuxException exception)
        {
            throw Unreadable(_paths.PathOf(_leaves.Written), exception);
        }
    }

    /// <summary>How much was written since the hand-over; changes nothing.</summary>
    /// <param name="attempt">The attempt that handed the image over.</param>
    /// <returns>Null where nobody knows; nothing where no export has ever served it.</returns>
    public WrittenCount? Written(Guid attempt)
    {
        try
        {
            if (_paths.StatOf(_leaves.Written) is not { Size: > 0 })
            {
                return default(WrittenCount);
            }

            using DiskStateFile file = new(_paths.OpenFile(_leaves.Written, LinuxOpen.ReadOnly | LinuxOpen.NoFollow), null);
            return WrittenCounter.Read(file, attempt);
        }
        catch (Exception exception) when (exception is LinuxException or DiskSyncException)
        {
            return null;
        }
    }

    /// <summary>Whether the map says durably that nothing is missing; changes nothing.</summary>
    /// <param name="epoch">The epoch that is owned.</param>
    public bool IsWhole(ulong epoch) => ReadMap() is { Missing: 0 } map && map.Header.Epoch == epoch;

    /// <summary>Gives an image that is whole its name and its seal; durable on return, and repeatable.</summary>
    /// <param name="epoch">The epoch that is owned.</param>
    /// <returns>The root that the seal names: that of the source's frozen image, or unknown.</returns>
    /// <exception cref="DiskSyncException">It cannot be done.</exception>
    public Hash256 GiveName(ulong epoch)
    {
        TailSealRecord seal = RequireSeal(epoch);
        try
        {
            TailSealer.GiveName(_paths, seal);
            return seal.Root;
        }
        catch (LinuxException exception)
        {
            throw Unreadable(ImagePath, exception);
        }
    }

    /// <summary>Removes map, notes and tail seal of an image that has its name and its record.</summary>
    /// <exception cref="DiskSyncException">They cannot be removed.</exception>
    public void Forget()
    {
        try
        {
            TailSealer.Forget(_paths, _leaves);
            _paths.Flush();
        }
        catch (LinuxException exception)
        {
            throw Unreadable(ImagePath, exception);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _paths.Dispose();

    private (PresenceHeader Header, long Missing)? ReadMap()
    {
        try
        {
            if (_paths.StatOf(_leaves.Presence) is null)
            {
                return null;
            }

            using DiskStateFile file = new(_paths.OpenFile(_leaves.Presence, LinuxOpen.ReadOnly | LinuxOpen.NoFollow), null);
            PresenceBits bits = new(0);
            PresenceState state = PresenceReader.Read(new StateFileStream(file), header =>
            {
                bits = new PresenceBits(header.PartCount);
                return range => bits.Set(range.First, range.Count);
            });
            return (state.Header, bits.Missing * PresenceHeader.PartSize);
        }
        catch (Exception exception) when (exception is LinuxException or FormatViolationException or DiskSyncException)
        {
            return null;
        }
    }

    private static DiskSyncException Unreadable(string path, Exception exception) => new(
        FailureKind.OwnershipInDoubt,
        $"destination {path}: {exception.Message}",
        "Without it nothing serves the image. Bring it back; else 'disksync owner --return --discard-writes' gives the image back to its source.",
        exception);
}
