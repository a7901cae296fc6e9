using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Comparison;

/// <summary>Compares an image with a block map: hashes the image's blocks and compares hashes.</summary>
public static class MapComparer
{
    /// <summary>Compares an image with the map of its base.</summary>
    /// <param name="baseMap">The map, from its beginning; read to its end. Blocks it has no hash for count as changed.</param>
    /// <param name="image">The image; read only.</param>
    /// <param name="options">Workers, who is told; the granularity is the map's.</param>
    /// <param name="cancellation">Stops between chunks.</param>
    /// <returns>Without precise bytes; a first difference is the offset of a block.</returns>
    /// <exception cref="DiskSyncException">The map is damaged, or the image changed its length meanwhile.</exception>
    /// <exception cref="ImageIOException">The image could not be read.</exception>
    public static ComparisonResult Compare(
        BlockMapFile baseMap, IBlockDevice image, ComparisonOptions options, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(baseMap);
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(options);
        options = options with { Granularity = baseMap.Geometry.Granularity };
        var geometry = new BlockGeometry(image.Length, options.Granularity);
        var totals = new ComparisonTotals(baseMap.Geometry.Length, geometry, options);
        var left = new MapRun(0, Hash256.Unknown);
        bool more = true;
        ImageHasher.Run(
            image,
            options,
            run =>
            {
                long first = run.First;
                while (first < run.First + run.Count)
                {
                    if (left.Count == 0 && more)
                    {
                        more = baseMap.TryRead(out left);
                    }

                    long count = run.First + run.Count - first;
                    Hash256 old = Hash256.Unknown;
                    if (left.Count > 0)
                    {
                        count = Math.Min(count, left.Count);
                        old = left.Hash;
                        left = left with { Count = left.Count - count };
                    }

                    Account(new StateRun(first, count, Compare(run, old)), geometry, totals);
                    first += count;
                }
            },
            cancellation);

        // To the end even where the image is shorter: only then is the map proven.
        while (more)
        {
            more = baseMap.TryRead(out _);
        }

        return totals.End(preciseBytes: null);
    }

    private static BlockState Compare(HashRun run, Hash256 old)
    {
        if (run.Hash == old)
        {
            return run.IsZero ? BlockState.Hole : BlockState.Same;
        }

        return run.IsZero ? BlockState.Zeroed : BlockState.Changed;
    }

    private static void Account(StateRun run, BlockGeometry geometry, ComparisonTotals totals)
    {
        totals.Add(run);
        if (run.IsChange)
        {
            totals.Difference(geometry.OffsetOf(run.First));
        }
    }
}
