using DiskSync.Engine.Targets;
using DiskSync.Formats.Journal;
using DiskSync.Linux;

namespace DiskSync.Engine.Runs;

/// <summary>Finds staged copies, left-overs and handed-over images in folders, and removes what a user has chosen.</summary>
public static class StagedCopies
{
    private const int MaxDepth = 3;
    private static readonly string[] StateEndings = [".partial.journal", ".partial.map"];
    private static readonly string[] NewEndings = [".partial.journal.new", ".seal.new", ".map.new"];

    /// <summary>Looks through a folder and the folders in it.</summary>
    /// <param name="folder">The folder.</param>
    public static IReadOnlyList<StagedCopy> Find(string folder)
    {
        List<StagedCopy> found = [];
        if (!Directory.Exists(folder))
        {
            return found;
        }

        EnumerationOptions options = new() { RecurseSubdirectories = true, MaxRecursionDepth = MaxDepth, IgnoreInaccessible = true };
        foreach (string path in Directory.EnumerateFiles(Path.GetFullPath(folder), "*", options))
        {
            if (Look(path) is { } copy)
            {
                found.Add(copy);
            }
        }

        found.Sort((a, b) => string.CompareOrdinal(a.Image, b.Image));
        return found;
    }

    /// <summary>Removes a copy's files; never one that a run is writing.</summary>
    /// <exception cref="DiskSyncException">It is being written, or cannot be removed.</exception>
    public static void Remove(StagedCopy copy)
    {
        if (IsLocked(copy.Files[0]))
        {
            throw new DiskSyncException(
                FailureKind.Preflight, $"{copy.Files[0]}: a run is writing it", "Stop that run first: 'disksync abort'.");
        }

        try
        {
            foreach (string file in copy.Files)
            {
                FileSystemCalls.Unlink(file);
            }

            FileSystemCalls.SyncDirectory(Path.GetDirectoryName(copy.Files[0]) ?? "/");
        }
        catch (LinuxException exception)
        {
            throw new DiskSyncException(FailureKind.Destination, exception.Message, "Remove it by hand.", exception);
        }
    }

    private static StagedCopy? Look(string path)
    {
        if (path.EndsWith(".partial", StringComparison.Ordinal))
        {
            string image = path[..^".partial".Length];
            string[] files = [path, .. StateEndings.Select(e => image + e).Where(File.Exists)];
            return Describe(image, StagedKind.Resumable, files, Proven(image + ".partial.journal"));
        }

        if (TargetPaths.IsCeded(Path.GetFileName(path)))
        {
            string image = path[..path.LastIndexOf(".ceded-", StringComparison.Ordinal)];
            return Describe(image, StagedKind.Ceded, [path], "handed over; the destination owns this image");
        }

        string? ending = NewEndings.Concat(StateEndings).FirstOrDefault(e => path.EndsWith(e, StringComparison.Ordinal));
        if (ending is null)
        {
            return null;
        }

        string of = path[..^ending.Length];
        bool lonely = NewEndings.Contains(ending, StringComparer.Ordinal) || !(File.Exists(of + ".partial") || File.Exists(of));
        return lonely ? Describe(of, StagedKind.LeftOver, [path], "left over from a run that was killed") : null;
    }

    private static StagedCopy Describe(string image, StagedKind kind, IReadOnlyList<string> files, string state)
    {
        long allocated = 0;
        DateTimeOffset written = DateTimeOffset.UnixEpoch;
        long length = 0;
        foreach (string file in files)
        {
            if (FileStat.IfExists(file) is { } stat)
            {
                allocated += stat.AllocatedBytes;
                length = length == 0 ? stat.Size : length;
                DateTimeOffset modified = DateTimeOffset.UnixEpoch.AddTicks(stat.ModifiedNanoseconds / 100);
                written = modified > written ? modified : written;
            }
        }

        return new StagedCopy(
            image, kind, files, kind == StagedKind.LeftOver ? 0 : length, allocated, written, IsLocked(files[0]), state);
    }

    private static string Proven(string journal)
    {
        if (!File.Exists(journal))
        {
            return "nothing of it is proven; a later run hashes it";
        }

        try
        {
            using FileStream stream = File.OpenRead(journal);
            TransferJournalResult result = TransferJournalReader.Read(stream);
            if (!result.IsIntact)
            {
                return $"its journal is damaged ({result.Damage.Explanation}); a later run hashes it";
            }

            long pages = result.State.Header.RegionCount;
            double open = pages == 0 ? 0 : (double)result.State.Withdrawn.Count / pages;
            return $"{1 - open:P0} of it is proven by its journal";
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return $"its journal cannot be read: {exception.Message}";
        }
    }

    private static bool IsLocked(string path)
    {
        try
        {
            using LinuxFile file = LinuxFile.Open(path, LinuxOpen.ReadOnly);
            return !file.TryLockExclusive();
        }
        catch (LinuxException)
        {
            return false;
        }
    }
}
