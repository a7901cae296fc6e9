using DiskSync.Engine.Runs;

namespace DiskSync.Cli.Output;

/// <summary>Something that stands beside images, in <c>disksync status --json</c> and <c>clean --json</c>.</summary>
/// <param name="Image">The image's path.</param>
/// <param name="Kind">resumable, left over or ceded.</param>
/// <param name="Files">Its files.</param>
/// <param name="Length">The image's length.</param>
/// <param name="AllocatedBytes">What it takes on disk.</param>
/// <param name="LastWritten">When it was written last.</param>
/// <param name="InUse">Whether a run is writing it.</param>
/// <param name="State">A sentence.</param>
internal sealed record StagedStatus(
    string Image,
    string Kind,
    IReadOnlyList<string> Files,
    long Length,
    long AllocatedBytes,
    DateTimeOffset LastWritten,
    bool InUse,
    string State)
{
    /// <summary>Builds the status of a copy.</summary>
    public static StagedStatus Of(StagedCopy copy) => new(
        copy.Image,
        copy.Kind switch { StagedKind.LeftOver => "left over", StagedKind.Ceded => "ceded", _ => "resumable" },
        copy.Files,
        copy.Length,
        copy.AllocatedBytes,
        copy.LastWritten,
        copy.InUse,
        copy.State);
}
