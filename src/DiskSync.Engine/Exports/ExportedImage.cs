using DiskSync.Engine.Blocks;
using DiskSync.Linux;

namespace DiskSync.Engine.Exports;

/// <summary>Opens images that an export may write.</summary>
public static class ExportedImage
{
    /// <summary>Opens an image for writing and keeps other runs of ours, and of a device every mount, away from it.</summary>
    /// <param name="path">A regular file, which is locked, or a block device, which is opened exclusively.</param>
    /// <returns>The image, owned by the caller.</returns>
    /// <exception cref="DiskSyncException">Somebody uses it, or it cannot be opened.</exception>
    public static LinuxBlockDevice Open(string path)
    {
        try
        {
            if (DestinationCheck.FindUse(path) is { Count: > 0 } uses)
            {
                throw InUse(path, uses[0]);
            }

            bool isDevice = FileStat.IfExists(path)?.Kind == FileKind.BlockDevice;
            LinuxFile file = LinuxFile.Open(path, isDevice ? LinuxOpen.ReadWrite | LinuxOpen.Exclusive : LinuxOpen.ReadWrite);
            if (!isDevice && !file.TryLockExclusive())
            {
                file.Dispose();
                throw InUse(path, "another disksync process has locked it");
            }

            return isDevice ? BlockDevices.WrapWritable(file, path) : BlockDevices.Wrap(file, path, Side.Source);
        }
        catch (LinuxException exception)
        {
            throw BlockDevices.CannotOpen(path, Side.Source, exception, "Check the path; --read-only needs less.");
        }
    }

    private static DiskSyncException InUse(string path, string use) => new(
        FailureKind.Preflight,
        $"source {path} cannot be exported for writing: {use}",
        "Stop what uses it, or export it with --read-only.");
}
