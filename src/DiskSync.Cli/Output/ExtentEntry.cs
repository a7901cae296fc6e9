using DiskSync.Engine.Comparison;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Cli.Output;

/// <summary>A changed extent in <c>disksync diff --extents</c>.</summary>
/// <param name="Offset">First byte.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Kind">"changed", or "zeroed" where the image now reads as zeros.</param>
internal sealed record ExtentEntry(long Offset, long Length, string Kind)
{
    /// <summary>The extent of a run.</summary>
    public static ExtentEntry From(StateRun run, BlockGeometry geometry)
    {
        long offset = geometry.OffsetOf(run.First);
        long end = Math.Min(geometry.Length, geometry.OffsetOf(run.First + run.Count));
        return new ExtentEntry(offset, end - offset, run.State == BlockState.Zeroed ? "zeroed" : "changed");
    }
}
