using DiskSync.Engine;

namespace DiskSync.Cli.Output;

/// <summary>What <c>disksync clean --json</c> prints.</summary>
/// <param name="Removed">What was removed.</param>
/// <param name="Kept">What is still there.</param>
/// <param name="RemovedMaps">Saved maps that were removed.</param>
/// <param name="SavedMaps">Saved maps that are still there.</param>
internal sealed record CleanReport(
    IReadOnlyList<StagedStatus> Removed,
    IReadOnlyList<StagedStatus> Kept,
    IReadOnlyList<SavedMapStatus> RemovedMaps,
    IReadOnlyList<SavedMapStatus> SavedMaps)
{
    /// <summary>Prints the report for people.</summary>
    public void Write(TextWriter output)
    {
        foreach (StagedStatus copy in Removed)
        {
            output.WriteLine($"removed {string.Join(", ", copy.Files)}");
        }

        foreach (StagedStatus copy in Kept)
        {
            output.WriteLine($"kept {copy.Files[0]}: {copy.Kind}, {ByteSize.Format(copy.AllocatedBytes)} on disk, {copy.State}{(copy.InUse ? ", being written" : string.Empty)}");
        }

        foreach (SavedMapStatus map in RemovedMaps)
        {
            output.WriteLine($"removed the saved map of {map.Image ?? map.Folder}");
        }

        foreach (SavedMapStatus map in SavedMaps)
        {
            output.WriteLine($"kept {map.Folder}: saved map of {map.Image ?? "nobody can tell what"}, {ByteSize.Format(map.AllocatedBytes)} on disk");
        }

        if (Removed.Count + Kept.Count + RemovedMaps.Count + SavedMaps.Count == 0)
        {
            output.WriteLine("nothing to clean");
        }
    }
}
