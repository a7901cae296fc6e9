using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Dirty;
using DiskSync.Engine.Progress;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Comparison;

/// <summary>Hashes the blocks of an image on several threads and hands the hashes over in order.</summary>
/// <remarks>Holes are not read and come as one run each. Memory is bounded whatever the image's length.</remarks>
public static class ImageHasher
{
    /// <summary>Hashes an image.</summary>
    /// <param name="image">The image; read only.</param>
    /// <param name="options">Granularity, workers, progress.</param>
    /// <param name="onRun">Takes the runs in order, without gaps, on the calling thread.</param>
    /// <param name="cancellation">Stops between chunks.</param>
    /// <exception cref="ImageIOException">The image could not be read.</exception>
    /// <exception cref="DiskSyncException">The image changed its length meanwhile.</exception>
    public static void Run(
        IBlockDevice image, ComparisonOptions options, Action<HashRun> onRun, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(onRun);
        var geometry = new BlockGeometry(image.Length, options.Granularity);
        var zeros = new ZeroHashes(geometry);
        OrderedWorkers<ImageChunk, Hash256[]>.Run(
            ChunkPlan.Of(image, geometry),
            options.Workers,
            () => new ChunkHasher(image, geometry, zeros),
            (chunk, hashes) =>
            {
                HandOver(chunk, hashes, zeros, onRun);
                options.Progress.Report(new CopyProgress(CopyPhase.Hashing)
                {
                    Image = image.Name,
                    BytesDone = Math.Min(geometry.Length, geometry.OffsetOf(chunk.First + chunk.Count)),
                    BytesTotal = geometry.Length,
                });
            },
            cancellation);
        StableLength.Check(image);
    }

    private static void HandOver(ImageChunk chunk, Hash256[] hashes, ZeroHashes zeros, Action<HashRun> onRun)
    {
        if (hashes.Length == 0)
        {
            foreach ((BlockRun zeroRun, Hash256 hash) in zeros.Runs(new BlockRun(chunk.First, chunk.Count)))
            {
                onRun(new HashRun(zeroRun.First, zeroRun.Count, hash, IsZero: true));
            }

            return;
        }

        for (int i = 0; i < hashes.Length; i++)
        {
            long block = chunk.First + i;
            onRun(new HashRun(block, 1, hashes[i], hashes[i] == zeros.Of(block)));
        }
    }
}
