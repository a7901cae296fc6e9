using DiskSync.Engine.Blocks;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Comparison;

/// <summary>Cuts one image, or two side by side, into chunks for the workers.</summary>
internal static class ChunkPlan
{
    /// <summary>What a worker takes at once, unless one block is larger: long enough to make hand-overs cheap.</summary>
    private const int DefaultChunkBytes = 4 << 20;

    /// <summary>The chunks of an image; its own side is <see cref="ImageChunk.ImageIsData"/>.</summary>
    public static IEnumerable<ImageChunk> Of(
        IBlockDevice image, BlockGeometry geometry, int chunkBytes = DefaultChunkBytes)
    {
        foreach ((long first, long count, bool isData) in BlockExtents.Of(image, geometry))
        {
            foreach (ImageChunk chunk in Cut(new ImageChunk(first, count, false, isData), geometry, chunkBytes))
            {
                yield return chunk;
            }
        }
    }

    /// <summary>
    /// The chunks of the image's blocks; blocks past the end of the base have <see cref="ImageChunk.BaseIsData"/> false.
    /// </summary>
    public static IEnumerable<ImageChunk> Of(
        IBlockDevice baseImage,
        BlockGeometry baseGeometry,
        IBlockDevice image,
        BlockGeometry geometry,
        int chunkBytes = DefaultChunkBytes)
    {
        using IEnumerator<(long First, long Count, bool IsData)> bases =
            BlockExtents.Of(baseImage, baseGeometry).GetEnumerator();
        (long First, long Count, bool IsData) baseRun = default;
        bool more = true;
        foreach ((long first, long count, bool isData) in BlockExtents.Of(image, geometry))
        {
            long at = first;
            while (at < first + count)
            {
                while (more && baseRun.First + baseRun.Count <= at)
                {
                    more = bases.MoveNext();
                    baseRun = more ? bases.Current : default;
                }

                long end = first + count;
                if (more)
                {
                    end = Math.Min(end, baseRun.First + baseRun.Count);
                }

                var run = new ImageChunk(at, end - at, more && baseRun.IsData, isData);
                foreach (ImageChunk chunk in Cut(run, geometry, chunkBytes))
                {
                    yield return chunk;
                }

                at = end;
            }
        }
    }

    private static IEnumerable<ImageChunk> Cut(ImageChunk run, BlockGeometry geometry, int chunkBytes)
    {
        if (!run.IsData)
        {
            yield return run;
            yield break;
        }

        long most = Math.Max(1, chunkBytes / geometry.Granularity);
        for (long at = run.First; at < run.First + run.Count;)
        {
            // Chunks end at multiples of their size, so that reads stay aligned whatever the first extent was.
            long count = Math.Min(most - (at % most), run.First + run.Count - at);
            yield return run with { First = at, Count = count };
            at += count;
        }
    }
}
