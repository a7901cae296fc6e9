using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Dirty;
using DiskSync.Engine.Progress;
using DiskSync.Formats.BlockMap;
using DiskSync.Linux;

namespace DiskSync.Engine.Replication;

/// <summary>Hashes a whole image into a map, on all processors, holes without reading them.</summary>
internal static class ImageHasher
{
    private const int ChunkBytes = 1 << 20;

    /// <summary>Hashes an image.</summary>
    /// <returns>The map, owned by the caller.</returns>
    /// <exception cref="ImageIOException">The image cannot be read.</exception>
    public static PagedMap Hash(
        IBlockDevice image, BlockGeometry geometry, IProgressSink progress, CancellationToken cancellationToken)
    {
        PagedMap map = PagedMap.CreateTemporary(geometry, defaultIsZero: false);
        try
        {
            DirtyBitmap todo = new(geometry.BlockCount);
            todo.MarkAll();
            RoundPlan plan = new(todo, image, geometry);
            long done = 0;
            using ProgressReporter reporter = new(progress, () => new CopyProgress(CopyPhase.Hashing)
            {
                Image = image.Name,
                BytesDone = Math.Min(Interlocked.Read(ref done), geometry.Length),
                BytesTotal = geometry.Length,
            });
            ParallelOptions options = new() { CancellationToken = cancellationToken };
            Parallel.For(0, Environment.ProcessorCount, options, _ => HashRuns(image, map, plan, ref done, cancellationToken));
            return map;
        }
        catch (AggregateException exception) when (exception.InnerException is DiskSyncException inner)
        {
            map.Dispose();
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(inner);
            throw;
        }
        catch
        {
            map.Dispose();
            throw;
        }
    }

    private static void HashRuns(
        IBlockDevice image, PagedMap map, RoundPlan plan, ref long done, CancellationToken cancellationToken)
    {
        BlockGeometry geometry = map.Geometry;
        using AlignedBuffer buffer = new(Math.Max(ChunkBytes, geometry.Granularity));
        int chunkBlocks = buffer.Length / geometry.Granularity;
        while (plan.TryTake(chunkBlocks, out BlockRun run))
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach ((BlockRun part, bool isZero) in BlockClassifier.Classify(image, geometry, run))
            {
                if (isZero)
                {
                    map.SetZeroRun(part.First, part.Count);
                    continue;
                }

                for (long first = part.First; first < part.First + part.Count; first += chunkBlocks)
                {
                    HashChunk(image, map, first, Math.Min(chunkBlocks, part.First + part.Count - first), buffer.Span);
                }
            }

            Interlocked.Add(ref done, run.Count * geometry.Granularity);
        }
    }

    private static void HashChunk(IBlockDevice image, PagedMap map, long first, long count, Span<byte> buffer)
    {
        BlockGeometry geometry = map.Geometry;
        long bytes = Math.Min(geometry.OffsetOf(first + count), geometry.Length) - geometry.OffsetOf(first);
        Span<byte> chunk = buffer[..(int)bytes];
        image.Read(geometry.OffsetOf(first), chunk);
        for (int i = 0; i < count; i++)
        {
            map.Set(first + i, Blake3.Hash(chunk.Slice(i * geometry.Granularity, geometry.LengthOf(first + i))));
        }
    }
}
