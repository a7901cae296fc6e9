using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Comparison;

/// <summary>Hashes an image into a block map, or only into its root hash.</summary>
public static class BlockMapBuilder
{
    /// <summary>Hashes an image.</summary>
    /// <param name="image">The image; read only.</param>
    /// <param name="output">Where the map file goes, or null where only the root is wanted; stays open.</param>
    /// <param name="options">Granularity, workers, progress.</param>
    /// <param name="cancellation">Stops between chunks.</param>
    /// <exception cref="ImageIOException">The image could not be read.</exception>
    /// <exception cref="DiskSyncException">The image changed its length meanwhile.</exception>
    public static BlockMapSummary Build(
        IBlockDevice image, Stream? output, ComparisonOptions options, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(options);
        var geometry = new BlockGeometry(image.Length, options.Granularity);
        RootHasher? hasher = output is null ? new RootHasher(geometry) : null;
        BlockMapWriter? writer = output is null ? null : new BlockMapWriter(output, geometry);
        long zeroBlocks = 0;
        ImageHasher.Run(
            image,
            options,
            run =>
            {
                hasher?.AppendRun(run.Count, run.Hash);
                writer?.AppendRun(run.Count, run.Hash);
                zeroBlocks += run.IsZero ? run.Count : 0;
            },
            cancellation);
        Hash256 root = hasher?.Finish() ?? writer!.Finish();
        return new BlockMapSummary(geometry, root, zeroBlocks);
    }
}
