using DiskSync.Engine;

namespace DiskSync.Cli.Output;

/// <summary>What <c>disksync status --json</c> prints.</summary>
/// <param name="Runs">The runs, those that were killed included.</param>
/// <param name="Staged">What stands beside images.</param>
internal sealed record StatusReport(IReadOnlyList<RunStatus> Runs, IReadOnlyList<StagedStatus> Staged)
{
    /// <summary>Prints the report for people.</summary>
    public void Write(TextWriter output)
    {
        if (Runs.Count == 0)
        {
            output.WriteLine("no runs");
        }

        foreach (RunStatus run in Runs)
        {
            string progress = run.BytesTotal > 0 ? $", {100.0 * run.BytesDone / run.BytesTotal:0} %" : string.Empty;
            string limit = run.LimitBytesPerSecond > 0 ? $", limit {ByteSize.Format(run.LimitBytesPerSecond)}/s" : string.Empty;
            output.WriteLine($"{run.Id}: {string.Join(", ", run.Images)} -> {run.Destination}");
            output.WriteLine(run.Alive
                ? $"  {(run.Phase.Length > 0 ? run.Phase : "running")}{progress}, sent {ByteSize.Format(run.SentBytes)}{limit}, since {run.StartedAt:yyyy-MM-dd HH:mm:ss} UTC"
                : "  was killed; run the same command again, it goes on from what is durable");
        }

        foreach (StagedStatus copy in Staged)
        {
            output.WriteLine($"{copy.Files[0]}: {copy.Kind}, {ByteSize.Format(copy.AllocatedBytes)} on disk, {copy.State}{(copy.InUse ? ", being written" : string.Empty)}");
        }
    }
}
