using DiskSync.Linux;

namespace DiskSync.Engine.Targets;

/// <summary>Opens the file that a session writes and locks it, so that two runs never write one target.</summary>
internal static class TargetLock
{
    private const int Attempts = 5;

    // A receiver whose source was killed still makes durable what had arrived; the next run may well begin before.
    private static readonly TimeSpan BusyPatience = TimeSpan.FromSeconds(3);

    /// <summary>Opens and locks one of a target's files.</summary>
    /// <param name="paths">The target's files.</param>
    /// <param name="leaf">The file.</param>
    /// <param name="create">Whether it may be made (0600).</param>
    /// <exception cref="DiskSyncException">Another process holds it.</exception>
    public static LinuxFile Open(TargetPaths paths, string leaf, bool create)
    {
        // Whoever had the lock may have renamed the file (a seal) between our open and our lock: then look again.
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            LinuxFile file = paths.OpenFile(leaf, create ? LinuxOpen.ReadWrite | LinuxOpen.Create : LinuxOpen.ReadWrite);
            if (!file.TryLockExclusive(BusyPatience))
            {
                file.Dispose();
                break;
            }

            if (StillNamed(paths, leaf, file))
            {
                return file;
            }

            file.Dispose();
        }

        throw new DiskSyncException(
            FailureKind.Preflight,
            $"destination {paths.PathOf(leaf)}: another run is writing it",
            "Wait for it; 'disksync status' on the destination host shows it, 'disksync abort' stops it.");
    }

    /// <summary>Whether a file can be locked now; nothing is kept.</summary>
    public static bool IsFree(LinuxFile file) => file.TryLockExclusive(BusyPatience);

    private static bool StillNamed(TargetPaths paths, string leaf, LinuxFile file)
    {
        if (paths.StatOf(leaf) is null)
        {
            return false;
        }

        using LinuxFile now = paths.OpenFile(leaf, LinuxOpen.Reference);
        return now.Stat().IsSameFileAs(file.Stat());
    }
}
