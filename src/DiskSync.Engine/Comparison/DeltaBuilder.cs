using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Dirty;
using DiskSync.Engine.Progress;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Delta;

namespace DiskSync.Engine.Comparison;

/// <summary>Makes the delta file that turns a base into an image, in one pass over both.</summary>
/// <remarks>Memory is bounded by a few chunks a worker, whatever changed.</remarks>
public static class DeltaBuilder
{
    private const int ChunkBytes = 1 << 20;
    private const int ItemsPerWorker = 2;

    /// <summary>Makes a delta from the base itself: changed 4 KiB pieces travel, not whole blocks.</summary>
    /// <param name="baseImage">The base; read only.</param>
    /// <param name="image">The image; read only.</param>
    /// <param name="output">Where the delta goes; stays open.</param>
    /// <param name="options">Granularity, workers, progress.</param>
    /// <param name="cancellation">Stops between chunks.</param>
    /// <exception cref="ImageIOException">An image could not be read.</exception>
    /// <exception cref="DiskSyncException">An image changed its length meanwhile.</exception>
    public static DeltaSummary Build(
        IBlockDevice baseImage,
        IBlockDevice image,
        Stream output,
        ComparisonOptions options,
        CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(baseImage);
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(options);
        var oldGeometry = new BlockGeometry(baseImage.Length, options.Granularity);
        var newGeometry = new BlockGeometry(image.Length, options.Granularity);
        var sink = new DeltaSink(output, oldGeometry, newGeometry, options);
        OrderedWorkers<DeltaChunk, DeltaPiece>.Run(
            DeltaPlan.Of(baseImage, oldGeometry, image, newGeometry, ChunkBytes),
            options.Workers,
            () => new DeltaWorker(baseImage, oldGeometry, image, newGeometry, ChunkBytes),
            sink.Take,
            cancellation,
            ItemsPerWorker);
        HashTail(baseImage, oldGeometry, newGeometry.BlockCount, sink, options, cancellation);
        StableLength.Check(baseImage);
        StableLength.Check(image);
        return sink.Finish();
    }

    /// <summary>Makes a delta from the base's block map: whole blocks travel.</summary>
    /// <param name="baseMap">The map, from its beginning; read to its end.</param>
    /// <param name="image">The image; read only.</param>
    /// <param name="output">Where the delta goes; stays open.</param>
    /// <param name="options">Workers, progress; the granularity is the map's.</param>
    /// <param name="cancellation">Stops between chunks.</param>
    /// <exception cref="ImageIOException">The image could not be read.</exception>
    /// <exception cref="DiskSyncException">The map is damaged or incomplete, or the image changed its length meanwhile.</exception>
    public static DeltaSummary Build(
        BlockMapFile baseMap,
        IBlockDevice image,
        Stream output,
        ComparisonOptions options,
        CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(baseMap);
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(options);
        BlockGeometry oldGeometry = baseMap.Geometry;
        var newGeometry = new BlockGeometry(image.Length, oldGeometry.Granularity);
        var sink = new DeltaSink(output, oldGeometry, newGeometry, options);
        var runs = new MapRuns(baseMap);
        OrderedWorkers<DeltaChunk, DeltaPiece>.Run(
            DeltaPlan.Of(runs, image, newGeometry, ChunkBytes),
            options.Workers,
            () => new DeltaWorker(null, oldGeometry, image, newGeometry, ChunkBytes),
            sink.Take,
            cancellation,
            ItemsPerWorker);

        // The base may be longer; and only a map read to its end is proven.
        while (runs.Take(long.MaxValue) is { Count: > 0 } run)
        {
            sink.TakeOldTail(run.Count, run.Hash);
        }

        StableLength.Check(image);
        return sink.Finish();
    }

    private static void HashTail(
        IBlockDevice baseImage,
        BlockGeometry oldGeometry,
        long from,
        DeltaSink sink,
        ComparisonOptions options,
        CancellationToken cancellation)
    {
        if (from >= oldGeometry.BlockCount)
        {
            return;
        }

        var zeros = new ZeroHashes(oldGeometry);
        IEnumerable<ImageChunk> tail = ChunkPlan.Of(baseImage, oldGeometry)
            .Where(chunk => chunk.First + chunk.Count > from)
            .Select(chunk => chunk.First >= from
                ? chunk
                : chunk with { First = from, Count = chunk.First + chunk.Count - from });
        OrderedWorkers<ImageChunk, Hash256[]>.Run(
            tail,
            options.Workers,
            () => new ChunkHasher(baseImage, oldGeometry, zeros),
            (chunk, hashes) =>
            {
                foreach (Hash256 hash in hashes)
                {
                    sink.TakeOldTail(1, hash);
                }

                if (hashes.Length == 0)
                {
                    foreach ((BlockRun zeroRun, Hash256 zeroHash) in zeros.Runs(new BlockRun(chunk.First, chunk.Count)))
                    {
                        sink.TakeOldTail(zeroRun.Count, zeroHash);
                    }
                }
            },
            cancellation);
    }
}
