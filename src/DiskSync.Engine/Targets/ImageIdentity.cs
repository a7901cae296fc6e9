using DiskSync.Linux;

namespace DiskSync.Engine.Targets;

/// <summary>The name by which the ownership journal knows an image.</summary>
public static class ImageIdentity
{
    /// <summary>What precedes a device's stable identity.</summary>
    public const string DevicePrefix = "device:";

    /// <summary>A file's full path with every link of its folder resolved, or a device's stable identity.</summary>
    /// <param name="path">The image; it need not exist, its folder must.</param>
    /// <exception cref="DiskSyncException">A device has no stable identity.</exception>
    public static string Of(string path)
    {
        if (FileStat.IfExists(path) is { Kind: FileKind.BlockDevice })
        {
            return DevicePrefix + (DeviceIdentity.Find(path) ?? throw new DiskSyncException(
                FailureKind.Preflight,
                $"{path}: the device has no stable identity (no by-id link, no serial number), so its ownership cannot be recorded",
                "Use a device that has one, such as an LVM volume, or a file."));
        }

        string full = Path.GetFullPath(path);
        string folder = FolderOf(Path.GetDirectoryName(full) ?? "/");
        return Path.Join(folder, Path.GetFileName(full));
    }

    /// <summary>Whether an identity is a device's.</summary>
    public static bool IsDevice(string identity) => identity.StartsWith(DevicePrefix, StringComparison.Ordinal);

    /// <summary>A folder's path with every link resolved.</summary>
    public static string FolderOf(string folder)
    {
        // The kernel's own answer: what an open handle of the folder is called.
        using LinuxFile handle = LinuxFile.Open(folder, LinuxOpen.Directory);
        string link = $"/proc/self/fd/{handle.Handle.DangerousGetHandle()}";
        return File.ResolveLinkTarget(link, returnFinalTarget: false)?.FullName ?? Path.GetFullPath(folder);
    }
}
