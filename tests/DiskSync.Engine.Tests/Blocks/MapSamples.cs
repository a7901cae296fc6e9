using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Engine.Tests.Blocks;

/// <summary>Hashes and geometries for map tests.</summary>
internal static class MapSamples
{
    public const int Granularity = 4096;

    /// <summary>A known hash for a number.</summary>
    public static Hash256 Hash(int number)
    {
        Span<byte> bytes = stackalloc byte[Hash256.Size];
        bytes.Clear();
        BitConverter.TryWriteBytes(bytes, number);
        bytes[31] = 1;
        return new Hash256(bytes);
    }

    /// <summary>An image of so many blocks, the last of which may be short.</summary>
    public static BlockGeometry Geometry(long blocks, bool shortLast) =>
        new((blocks * Granularity) - (shortLast && blocks > 0 ? 1000 : 0), Granularity);

    /// <summary>The root of a whole map by the reference implementation.</summary>
    public static Hash256 ReferenceRoot(BlockGeometry geometry, IEnumerable<Hash256> hashes)
    {
        RootHasher hasher = new(geometry);
        foreach (Hash256 hash in hashes)
        {
            hasher.Append(hash);
        }

        return hasher.Finish();
    }

    /// <summary>All hashes of a map, through its runs, which are checked to be as long as they may be.</summary>
    public static Hash256[] All(PagedMap map)
    {
        List<Hash256> hashes = [];
        foreach (HashRun run in map.GetRuns(0, map.Geometry.BlockCount))
        {
            Assert.True(run.Count > 0);
            hashes.AddRange(Enumerable.Repeat(run.Hash, (int)run.Count));
        }

        return [.. hashes];
    }
}
