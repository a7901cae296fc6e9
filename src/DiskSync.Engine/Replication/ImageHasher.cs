using DiskSync.Engine.Blocks;
using DiskSync.Engine.Comparison;
using DiskSync.Engine.Progress;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Replication;

/// <summary>Hashes a whole image into a map.</summary>
internal static class ImageHasher
{
    /// <summary>Hashes an image.</summary>
    /// <returns>The map, owned by the caller.</returns>
    /// <exception cref="DiskSyncException">The image cannot be read, or changed its length meanwhile.</exception>
    public static PagedMap Hash(
        IBlockDevice image, BlockGeometry geometry, IProgressSink progress, CancellationToken cancellationToken)
    {
        PagedMap map = PagedMap.CreateTemporary(geometry, defaultIsZero: false);
        try
        {
            Comparison.ImageHasher.Run(
                image,
                new ComparisonOptions { Granularity = geometry.Granularity, Progress = progress },
                run => map.SetRun(run.First, run.Count, run.Hash),
                cancellationToken);
            return map;
        }
        catch
        {
            map.Dispose();
            throw;
        }
    }
}
