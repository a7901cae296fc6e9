using DiskSync.Engine;

namespace DiskSync.Cli.Output;

/// <summary>What <c>disksync clean --json</c> prints.</summary>
/// <param name="Removed">What was removed.</param>
/// <param name="Kept">What is still there.</param>
internal sealed record CleanReport(IReadOnlyList<StagedStatus> Removed, IReadOnlyList<StagedStatus> Kept)
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

        if (Removed.Count + Kept.Count == 0)
        {
            output.WriteLine("nothing to clean");
        }
    }
}
