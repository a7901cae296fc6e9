using DiskSync.Engine.Blocks;
using DiskSync.Engine.Dirty;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Replication;

/// <summary>Splits a run of blocks into those that lie in holes as a whole and those that must be read.</summary>
internal static class BlockClassifier
{
    /// <summary>Asks the image for its extents now, so call it after the run was claimed (safety rule 3).</summary>
    /// <param name="image">The image.</param>
    /// <param name="geometry">How it is cut into blocks.</param>
    /// <param name="run">The run.</param>
    /// <param name="isData">Whether the image need not be asked, because all of the run is to be read.</param>
    /// <param name="maxDataBlocks">Longer runs that must be read come in pieces.</param>
    public static IEnumerable<(BlockRun Run, bool IsZero)> Classify(
        IBlockDevice image, BlockGeometry geometry, BlockRun run, bool isData, int maxDataBlocks)
    {
        long end = run.First + run.Count;
        long next = run.First;
        long granularity = geometry.Granularity;
        long byteStart = geometry.OffsetOf(next);
        long byteEnd = Math.Min(geometry.OffsetOf(end), geometry.Length);
        foreach (Extent extent in isData ? [] : image.Extents(byteStart, byteEnd - byteStart))
        {
            if (extent.Kind == ExtentKind.Data)
            {
                continue;
            }

            // Whole blocks of the hole; its ragged edges are read with their data. The image's short last block counts as whole.
            long first = Math.Max(next, (extent.Offset + granularity - 1) / granularity);
            long last = extent.End >= byteEnd ? end : extent.End / granularity;
            if (last <= first)
            {
                continue;
            }

            for (; next < first; next = Math.Min(first, next + maxDataBlocks))
            {
                yield return (new BlockRun(next, Math.Min(maxDataBlocks, first - next)), false);
            }

            yield return (new BlockRun(first, last - first), true);
            next = last;
        }

        for (; next < end; next += maxDataBlocks)
        {
            yield return (new BlockRun(next, Math.Min(maxDataBlocks, end - next)), false);
        }
    }
}
