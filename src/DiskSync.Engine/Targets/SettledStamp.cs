using DiskSync.Formats.Seal;
using DiskSync.Linux;

namespace DiskSync.Engine.Targets;

/// <summary>Takes the stamp of an image that is about to be sealed, at a moment after which every write moves it.</summary>
internal static class SettledStamp
{
    private const long SecondNs = 1_000_000_000;

    // Two ticks of the slowest clock that kernels are built with: whoever writes later gets another change time.
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(20);

    /// <summary>What stat says of a file.</summary>
    public static FileStamp Of(FileStat stat) => new(
        stat.Device.Value,
        stat.Inode,
        stat.Size,
        stat.ModifiedNanoseconds,
        stat.ChangedNanoseconds);

    /// <summary>Takes the stamp of the image.</summary>
    /// <param name="paths">The target's files; the image has its name and its last change behind it.</param>
    /// <param name="settle">False where the image is about to be used, so that nobody has to wait for what will not last.</param>
    /// <returns>The stamp and the boot under which it is settled, <see cref="Guid.Empty"/> where that cannot be said; null where there is no image.</returns>
    /// <remarks>Waits some milliseconds: nobody uses the image before its seal is there, so nobody writes meanwhile.</remarks>
    public static (FileStamp Stamp, Guid Boot)? Take(TargetPaths paths, bool settle)
    {
        if (paths.StatOf(paths.Leaf) is not { } stat)
        {
            return null;
        }

        FileStamp stamp = Of(stat);
        if (!settle)
        {
            return (stamp, Guid.Empty);
        }

        try
        {
            using LinuxFile file = paths.OpenFile(paths.Leaf, LinuxOpen.ReadOnly);
            return (stamp, Settle(file, stat) ? BootId.Current : Guid.Empty);
        }
        catch (LinuxException)
        {
            // Nobody depends on it: it is only not told.
            return (stamp, Guid.Empty);
        }
    }

    private static bool Settle(LinuxFile file, FileStat stat)
    {
        // A time without a fraction is most likely one of a file system that keeps whole seconds.
        if (!FileSystemIdentity.Of(file).ShowsEveryWrite || stat.ChangedNanoseconds % SecondNs == 0)
        {
            return false;
        }

        DateTimeOffset settled = DateTimeOffset.UnixEpoch.AddTicks(stat.ChangedNanoseconds / 100) + Tick;
        for (int tries = 0; tries < 3 && DateTimeOffset.UtcNow < settled; tries++)
        {
            Thread.Sleep(Math.Clamp((int)(settled - DateTimeOffset.UtcNow).TotalMilliseconds + 1, 1, (int)Tick.TotalMilliseconds));
        }

        return DateTimeOffset.UtcNow >= settled && Of(file.Stat()) == Of(stat);
    }
}
