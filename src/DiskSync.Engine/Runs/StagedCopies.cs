using DiskSync.Engine.Targets;
using DiskSync.Formats.Journal;
using DiskSync.Linux;

namespace DiskSync.Engine.Runs;

/// <summary>Finds staged copies, left-overs and handed-over images in folders, and removes what a user has chosen.</summary>
public static class StagedCopies
{
    private const int MaxDepth = 3;
    private static readonly string[] StateEndings = [".partial.journal", ".partial.map", ".partial.presence", ".partial.tail"];
    private static readonly string[] SealEndings = [".seal", ".map"];
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
    /// <remarks>Whether it may go at all is for the ownership journal to say.</remarks>
    /// <exception cref="DiskSyncException">It is being written, or cannot be removed.</exception>
    public static void Remove(StagedCopy copy)
    {
        ArgumentNullException.ThrowIfNull(copy);
        List<LinuxFile> held = [];
        try
        {
            // Held until all is gone, so that no run begins on what is about to go.
            foreach (string path in LockedBy(copy.Image, copy.Kind, copy.Files))
            {
                if (TryOpen(path) is not { } file)
                {
                    continue;
                }

                held.Add(file);
                if (!file.TryLockExclusive())
                {
                    throw new DiskSyncException(
                        FailureKind.Preflight, $"{copy.Files[0]}: a run is writing it", "Stop that run first: 'disksync abort'.");
                }
            }

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
        finally
        {
            held.ForEach(f => f.Dispose());
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

        if (NumberedNames.Ceded.IsOne(Path.GetFileName(path)))
        {
            string[] files = [path, .. SealEndings.Select(e => path + e).Where(File.Exists)];
            return Describe(NumberedNames.Ceded.ImageOf(path), StagedKind.Ceded, files, "renamed by a hand-over; the ownership journal says who owns it");
        }

        if (SealEndings.FirstOrDefault(e => path.EndsWith(e, StringComparison.Ordinal)) is { } sealEnding
            && path[..^sealEnding.Length] is var ceded && NumberedNames.Ceded.IsOne(Path.GetFileName(ceded)) && !File.Exists(ceded))
        {
            return Describe(NumberedNames.Ceded.ImageOf(ceded), StagedKind.LeftOver, [path], "of a handed-over image that is gone");
        }

        if (NumberedNames.Round.IsOne(Path.GetFileName(path)))
        {
            return Describe(NumberedNames.Round.ImageOf(path), StagedKind.LeftOver, [path], "a copy as it was at the end of a round, kept to be looked at");
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
            image, kind, files, kind == StagedKind.LeftOver ? 0 : length, allocated, written, LockedBy(image, kind, files).Any(IsLocked), state);
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

    /// <summary>The files of which a run that writes this has one locked: a copy itself; for what stands beside an image, the copy or the image.</summary>
    private static IEnumerable<string> LockedBy(string image, StagedKind kind, IReadOnlyList<string> files) =>
        kind == StagedKind.LeftOver ? [image + ".partial", image] : [files[0]];

    private static bool IsLocked(string path)
    {
        using LinuxFile? file = TryOpen(path);
        return file?.TryLockExclusive() == false;
    }

    private static LinuxFile? TryOpen(string path)
    {
        try
        {
            return LinuxFile.Open(path, LinuxOpen.ReadOnly);
        }
        catch (LinuxException)
        {
            return null;
        }
    }
}
