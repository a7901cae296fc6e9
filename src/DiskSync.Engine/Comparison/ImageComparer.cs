using DiskSync.Engine.Blocks;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Comparison;

/// <summary>Compares two local images byte by byte, without hashing.</summary>
/// <remarks>
/// Ranges that are holes in both are never read; a hole against data reads the data only. Memory is bounded whatever
/// the images' length: two buffers a worker, and runs. Several comparisons may run at once.
/// </remarks>
public static class ImageComparer
{
    /// <summary>Compares an image with its base.</summary>
    /// <param name="baseImage">The base; read only.</param>
    /// <param name="image">The image; read only. The lengths may differ: blocks past the base's end count as changed.</param>
    /// <param name="options">Granularity, workers, who is told.</param>
    /// <param name="cancellation">Stops between chunks.</param>
    /// <exception cref="ImageIOException">An image could not be read.</exception>
    /// <exception cref="DiskSyncException">An image changed its length meanwhile.</exception>
    public static ComparisonResult Compare(
        IBlockDevice baseImage, IBlockDevice image, ComparisonOptions options, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(baseImage);
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(options);
        var baseGeometry = new BlockGeometry(baseImage.Length, options.Granularity);
        var geometry = new BlockGeometry(image.Length, options.Granularity);
        var totals = new ComparisonTotals(baseGeometry.Length, geometry, options);
        long precise = 0;
        OrderedWorkers<ImageChunk, ChunkComparison>.Run(
            ChunkPlan.Of(baseImage, baseGeometry, image, geometry),
            options.Workers,
            () => new ChunkComparer(baseImage, baseGeometry, image, geometry),
            (chunk, compared) =>
            {
                foreach (StateRun run in compared.Runs)
                {
                    totals.Add(run);
                }

                if (compared.FirstDifference >= 0)
                {
                    totals.Difference(compared.FirstDifference);
                }

                precise += compared.PreciseBytes;
                totals.ReportDone(chunk.First + chunk.Count);
            },
            cancellation);
        StableLength.Check(baseImage);
        StableLength.Check(image);
        return totals.End(precise);
    }
}
