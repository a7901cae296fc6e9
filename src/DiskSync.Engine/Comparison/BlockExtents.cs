using DiskSync.Engine.Blocks;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Comparison;

/// <summary>The extents of an image in whole blocks.</summary>
internal static class BlockExtents
{
    /// <summary>
    /// The runs of blocks in order, without gaps, alternating: a block is data where any byte of it is, else it reads
    /// as zeros. Asked for lazily; the device is read by nobody else while the enumeration lasts in order.
    /// </summary>
    public static IEnumerable<(long First, long Count, bool IsData)> Of(IBlockDevice device, BlockGeometry geometry)
    {
        long first = 0;
        bool isData = false;
        long end = 0;
        foreach (Extent extent in device.Extents(0, geometry.Length))
        {
            bool data = extent.Kind == ExtentKind.Data;
            long lastOfExtent = (extent.End + geometry.Granularity - 1) / geometry.Granularity;
            if (data)
            {
                // The extent's first block may be one that was begun by zeros: data wins.
                long start = extent.Offset / geometry.Granularity;
                if (!isData && start > first)
                {
                    yield return (first, start - first, false);
                    first = start;
                }

                isData = true;
                end = lastOfExtent;
            }
            else
            {
                if (isData && lastOfExtent > end)
                {
                    yield return (first, end - first, true);
                    first = end;
                    isData = false;
                }

                if (!isData)
                {
                    end = lastOfExtent;
                }
            }
        }

        if (end > first)
        {
            yield return (first, end - first, isData);
        }
    }
}
