using DiskSync.Linux;

namespace DiskSync.Engine.Targets;

/// <summary>Copies as they were at the end of a round: NAME.round-N, which share their blocks with the copy.</summary>
/// <remarks>They are for looking at while the copy goes on; nothing of ours starts a machine on one, or takes one for a base.</remarks>
internal static class KeptRounds
{
    /// <summary>Keeps a copy as it is.</summary>
    /// <param name="paths">The target's files.</param>
    /// <param name="data">The file that holds the copy; nobody writes it meanwhile.</param>
    /// <param name="round">The round; with the first one the rounds of an earlier copy go.</param>
    /// <returns>Where it is kept; empty, and why not, where the file system cannot clone.</returns>
    /// <exception cref="LinuxException">It failed.</exception>
    public static (string Path, string Why) Keep(TargetPaths paths, string data, uint round)
    {
        string leaf = NumberedNames.Round.NameOf(paths.Leaf, round);
        RemoveFrom(paths, round == 1 ? 0 : round);
        using LinuxFile copy = paths.OpenFile(data, LinuxOpen.ReadOnly);
        using (LinuxFile kept = paths.OpenFile(leaf, LinuxOpen.ReadWrite | LinuxOpen.Create | LinuxOpen.Truncate))
        {
            if (FileCloner.TryReflink(copy, kept))
            {
                return (paths.PathOf(leaf), string.Empty);
            }
        }

        paths.Remove(leaf);
        return (string.Empty, $"the file system of {paths.Folder.Path} cannot clone files; XFS and btrfs can");
    }

    private static void RemoveFrom(TargetPaths paths, uint round)
    {
        foreach (string path in Directory.EnumerateFiles(paths.Folder.Path))
        {
            string leaf = Path.GetFileName(path);
            if (NumberedNames.Round.IsOf(leaf, paths.Leaf) && NumberedNames.Round.NumberOf(leaf) >= round)
            {
                paths.Remove(leaf);
            }
        }
    }
}
