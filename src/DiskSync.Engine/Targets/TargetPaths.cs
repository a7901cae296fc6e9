using DiskSync.Engine.Runs;
using DiskSync.Linux;

namespace DiskSync.Engine.Targets;

/// <summary>The files of one target, all in one folder that was opened once and never looked up again.</summary>
/// <remarks>
/// A name comes from a peer: it is checked here and walked by the kernel beneath the root, so that "..", an absolute
/// path or a symbolic link cannot leave it (safety rule 11). Names:
/// <code>
/// NAME                  the image
/// NAME.partial          the staged copy, until it is sealed
/// NAME.partial.journal  what of it is proven (Formats/Journal/FORMAT.md)
/// NAME.partial.map      its block hashes
/// NAME.seal, NAME.map   what a sealed image holds (Formats/Seal/FORMAT.md, Formats/BlockMap/FORMAT.md)
/// NAME.ceded-EPOCH      an image that this host has handed over; with a seal and a map of its own
/// NAME.round-N          the copy as it was at the end of a round, for somebody to look at
/// NAME.incomplete-EPOCH an image of which parts are still at its source (docs/tail.md)
/// NAME.presence         which parts are here, NAME.presence.notes what of that was not flushed (Formats/Presence/FORMAT.md),
/// NAME.presence.written how much was written meanwhile, NAME.presence.hashes what its source's blocks hash to
/// NAME.tail             where it came from (Formats/Tail/FORMAT.md)
/// </code>
/// Owns the folder's handle. Thread safe.
/// </remarks>
internal sealed class TargetPaths : IDisposable
{
    private static readonly string[] ReservedEndings =
        [".partial", ".partial.journal", ".partial.map", ".seal", ".map", ".new", ".presence", ".presence.notes", ".presence.written", ".presence.hashes", ".tail"];

    private readonly string? _devicePath;

    private TargetPaths(LinuxFile folder, string name, string leaf, string? devicePath = null)
    {
        Folder = folder;
        Name = name;
        Leaf = leaf;
        _devicePath = devicePath;
    }

    /// <summary>The folder, open.</summary>
    public LinuxFile Folder { get; }

    /// <summary>The name as the peer gave it.</summary>
    public string Name { get; }

    /// <summary>The image's name in its folder.</summary>
    public string Leaf { get; }

    public string Staged => Leaf + ".partial";

    public string Journal => Leaf + ".partial.journal";

    public string PartialMap => Leaf + ".partial.map";

    public string Seal => Leaf + ".seal";

    public string Map => Leaf + ".map";

    /// <summary>Whether the image is a device, whose files stand in the state folder.</summary>
    public bool IsDevice => _devicePath is not null;

    /// <summary>The image's path, for messages and for tools that take one.</summary>
    public string ImagePath => _devicePath ?? PathOf(Leaf);

    /// <summary>Checks a name and opens its folder.</summary>
    /// <param name="root">The receiver's root, open.</param>
    /// <param name="name">The peer's name for the target.</param>
    /// <param name="forReading">
    /// Whether it is only read: then it may be a symbolic link to a file, or an image that was handed over. A target may be neither: it
    /// would be the link that is renamed, sealed and handed over, and the file that others use. A link to a device is its usual name.
    /// </param>
    /// <exception cref="DiskSyncException">The name is refused, or its folder does not exist (kind Preflight).</exception>
    public static TargetPaths Open(LinuxFile root, string name, bool forReading = false)
    {
        int slash = name.LastIndexOf('/');
        string leaf = name[(slash + 1)..];
        if (leaf.Length == 0 || leaf is "." or ".." || name.StartsWith('/') || name.Any(char.IsControl))
        {
            throw Refused(name, root, "a target needs a name relative to the receiver's root, without control characters");
        }

        if (ReservedEndings.Any(e => leaf.EndsWith(e, StringComparison.Ordinal)) || NumberedNames.Incomplete.IsOne(leaf) || NumberedNames.Round.IsOne(leaf)
            || (NumberedNames.Ceded.IsOne(leaf) && !forReading))
        {
            throw Refused(name, root, "names with this ending are DiskSync's own files");
        }

        string folder = slash < 0 ? "." : name[..slash];
        TargetPaths paths;
        try
        {
            paths = new TargetPaths(LinuxFile.OpenBeneath(root, folder, LinuxOpen.Directory), name, leaf);
        }
        catch (LinuxException exception)
        {
            throw Refused(name, root, exception.Message, exception);
        }

        try
        {
            if (!forReading)
            {
                RefuseLink(paths, root);
            }

            return paths;
        }
        catch
        {
            paths.Dispose();
            throw;
        }
    }

    /// <summary>The files of a device: beside each other in a folder of the state folder, under the device's stable identity.</summary>
    /// <param name="stateFolder">The host's state folder.</param>
    /// <param name="identity">The device's stable identity, which is never its /dev name (safety rule 9).</param>
    /// <param name="name">The name as the peer gave it.</param>
    /// <param name="devicePath">The device, for messages.</param>
    public static TargetPaths OfDevice(string stateFolder, string identity, string name, string devicePath)
    {
        string folder = StateFolder.Create(Path.Join(stateFolder, "devices", identity));
        return new TargetPaths(LinuxFile.Open(folder, LinuxOpen.Directory), name, "image", devicePath);
    }

    /// <summary>The files of an image that this host has handed over.</summary>
    /// <param name="path">NAME.ceded-EPOCH.</param>
    public static TargetPaths OfCeded(string path) =>
        new(LinuxFile.Open(Path.GetDirectoryName(path) ?? "/", LinuxOpen.Directory), Path.GetFileName(path), Path.GetFileName(path));

    /// <summary>Opens one of the files.</summary>
    /// <exception cref="LinuxException">It cannot be opened so.</exception>
    public LinuxFile OpenFile(string leaf, LinuxOpen flags) => LinuxFile.OpenBeneath(Folder, leaf, flags);

    /// <summary>What a file is, or null where there is none; links are not followed.</summary>
    public FileStat? StatOf(string leaf) => FileStat.IfExists(Folder, leaf);

    /// <summary>Removes a file if it is there; not durable before <see cref="Flush"/>.</summary>
    public void Remove(string leaf)
    {
        if (StatOf(leaf) is not null)
        {
            FileSystemCalls.Unlink(Folder, leaf);
        }
    }

    /// <summary>Renames within the folder, replacing what has the new name; not durable before <see cref="Flush"/>.</summary>
    public void Rename(string from, string to) => FileSystemCalls.Rename(Folder, from, Folder, to, replace: true);

    /// <summary>Makes names durable.</summary>
    public void Flush() => Folder.Sync();

    public string PathOf(string leaf) => Path.GetFullPath(Path.Join(Folder.Path, leaf));

    public void Dispose() => Folder.Dispose();

    private static void RefuseLink(TargetPaths paths, LinuxFile root)
    {
        if (paths.StatOf(paths.Leaf) is not { Kind: FileKind.SymbolicLink })
        {
            return;
        }

        const string Why = "it is a symbolic link, and what would be replaced is the link, not the image that it leads to";
        try
        {
            using LinuxFile target = paths.OpenFile(paths.Leaf, LinuxOpen.Reference);
            if (target.Stat().Kind != FileKind.BlockDevice)
            {
                throw Refused(paths.Name, root, Why);
            }
        }
        catch (LinuxException exception)
        {
            throw Refused(paths.Name, root, $"{Why} ({exception.Message})", exception);
        }
    }

    private static DiskSyncException Refused(string name, LinuxFile root, string why, Exception? inner = null) =>
        new(
            FailureKind.Preflight,
            $"destination: '{name}' is refused below {root.Path}: {why}",
            "Choose the image's own name inside the receiver's root, in a folder that exists.",
            inner);
}
