using DiskSync.Engine.Blocks;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Comparison;

/// <summary>Cuts an image into chunks and gives each the part of the base's map that it needs.</summary>
internal static class DeltaPlan
{
    /// <summary>The most runs of a map that a chunk carries, where the image itself has nothing to read.</summary>
    private const int MaxRuns = 4096;

    /// <summary>The chunks of an image against its base.</summary>
    public static IEnumerable<DeltaChunk> Of(
        IBlockDevice baseImage, BlockGeometry oldGeometry, IBlockDevice image, BlockGeometry newGeometry, int chunkBytes)
    {
        foreach (ImageChunk chunk in ChunkPlan.Of(baseImage, oldGeometry, image, newGeometry, chunkBytes))
        {
            yield return new DeltaChunk(chunk, null);
        }
    }

    /// <summary>The chunks of an image against its base's map, which is read as far as the image's blocks go.</summary>
    /// <exception cref="DiskSyncException">The map is damaged, or has blocks without a hash.</exception>
    public static IEnumerable<DeltaChunk> Of(
        MapRuns baseMap, IBlockDevice image, BlockGeometry newGeometry, int chunkBytes)
    {
        foreach (ImageChunk chunk in ChunkPlan.Of(image, newGeometry, chunkBytes))
        {
            long first = chunk.First;
            long end = chunk.First + chunk.Count;
            while (first < end)
            {
                var runs = new List<MapRun>();
                long at = first;
                while (at < end && runs.Count < MaxRuns && baseMap.Take(end - at) is { Count: > 0 } run)
                {
                    runs.Add(run);
                    at += run.Count;
                }

                // Past the base's end there are no runs, and the rest is one piece.
                long until = baseMap.IsAtEnd ? end : at;
                yield return new DeltaChunk(chunk with { First = first, Count = until - first }, runs);
                first = until;
            }
        }
    }
}
