using DiskSync.Engine.Blocks;
using DiskSync.Linux;

namespace DiskSync.Engine.Targets;

/// <summary>The name by which the ownership journal knows an image.</summary>
public static class ImageIdentity
{
    /// <summary>What precedes a device's stable identity.</summary>
    public const string DevicePrefix = "device:";

    // As many as the kernel follows.
    private const int MaxLinks = 40;

    /// <summary>A file's real path, with every symbolic link resolved, or the stable identity of a device or of an NBD export.</summary>
    /// <remarks>
    /// The last link is followed too: renaming a link would leave the file itself under its own name, usable by anybody
    /// (safety rule 8), and a second identity would let it be handed over twice.
    /// </remarks>
    /// <param name="path">The image; neither it nor what a link of its name leads to need exist, their folders must.</param>
    /// <exception cref="DiskSyncException">A device has no stable identity, or links go round in a circle.</exception>
    public static string Of(string path)
    {
        if (path.StartsWith(DevicePrefix, StringComparison.Ordinal) && FileStat.IfExists(path) is null)
        {
            // As messages call it, whose advice is followed by copying it.
            return path;
        }

        if (NbdImage.IsOne(path))
        {
            return DevicePrefix + NbdImage.IdOf(NbdImage.Parse(path));
        }

        if (FileStat.IfExists(path) is { Kind: FileKind.BlockDevice })
        {
            return DevicePrefix + (DeviceIdentity.Find(path) ?? throw new DiskSyncException(
                FailureKind.Preflight,
                $"{path}: the device has no stable identity (no by-id link, no serial number), so its ownership cannot be recorded",
                "Use a device that has one, such as an LVM volume, or a file."));
        }

        string real = InRealFolder(path);
        for (int links = 0; FileStat.IfExists(real, followLinks: false) is { Kind: FileKind.SymbolicLink }; links++)
        {
            if (links == MaxLinks)
            {
                throw new DiskSyncException(FailureKind.Preflight, $"{path}: too many symbolic links", "Name the image itself.");
            }

            real = InRealFolder(Path.Combine(Path.GetDirectoryName(real) ?? "/", new FileInfo(real).LinkTarget!));
        }

        return real;
    }

    /// <summary>Whether an identity is that of a device, or of an NBD export: what has no name that could be taken away, and its state in the state folder.</summary>
    public static bool IsDevice(string identity) => identity.StartsWith(DevicePrefix, StringComparison.Ordinal);

    /// <summary>Whether an identity is that of an NBD export.</summary>
    public static bool IsNbd(string identity) => identity.StartsWith(DevicePrefix + NbdImage.IdPrefix, StringComparison.Ordinal);

    private static string InRealFolder(string path)
    {
        // The kernel walks the folder: cutting "LINK/.." out of the text would lead somewhere else.
        string leaf = Path.GetFileName(path);
        return leaf is "" or "." or ".."
            ? FolderOf(path)
            : Path.Join(FolderOf(path.Length == leaf.Length ? "." : path[..^leaf.Length]), leaf);
    }

    /// <summary>A folder's path with every link resolved.</summary>
    public static string FolderOf(string folder)
    {
        // The kernel's own answer: what an open handle of the folder is called.
        using LinuxFile handle = LinuxFile.Open(folder, LinuxOpen.Directory);
        string link = $"/proc/self/fd/{handle.Handle.DangerousGetHandle()}";
        return File.ResolveLinkTarget(link, returnFinalTarget: false)?.FullName ?? Path.GetFullPath(folder);
    }
}
