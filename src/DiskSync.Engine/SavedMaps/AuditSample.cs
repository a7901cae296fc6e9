using System.Buffers.Binary;
using DiskSync.Engine.Blocks;
using DiskSync.Formats.BlockMap;
using DiskSync.Linux;

namespace DiskSync.Engine.SavedMaps;

/// <summary>Chooses the blocks by which a saved map is audited: at random, and some of each part of the image.</summary>
internal static class AuditSample
{
    private const int MostBlocks = 64;
    private const int FewestBlocks = 8;
    private const int MostBytes = 8 << 20;

    /// <summary>Chooses blocks.</summary>
    /// <param name="source">The image; only its holes are looked at.</param>
    /// <param name="geometry">How it is cut into blocks.</param>
    /// <returns>The blocks, ascending, each once.</returns>
    /// <remarks>
    /// The image is cut into as many parts as blocks are wanted, and one taken from each: the one at a random place, or where
    /// that lies in a hole the next one of the part that has data, because most of a sparse image is holes.
    /// </remarks>
    public static long[] Choose(IBlockDevice source, BlockGeometry geometry)
    {
        long wanted = Math.Min(geometry.BlockCount, Math.Clamp(MostBytes / geometry.Granularity, FewestBlocks, MostBlocks));
        long[] chosen = new long[wanted];
        byte[] random = new byte[wanted * sizeof(ulong)];
        KernelRandom.Fill(random);
        for (int part = 0; part < chosen.Length; part++)
        {
            long first = geometry.BlockCount * part / wanted;
            long end = geometry.BlockCount * (part + 1) / wanted;
            ulong number = BinaryPrimitives.ReadUInt64LittleEndian(random.AsSpan(part * sizeof(ulong)));
            long block = first + (long)(number % (ulong)(end - first));
            chosen[part] = NextData(source, geometry, block, end) ?? block;
        }

        return chosen;
    }

    private static long? NextData(IBlockDevice source, BlockGeometry geometry, long block, long end)
    {
        long offset = geometry.OffsetOf(block);
        long length = Math.Min(geometry.OffsetOf(end), geometry.Length) - offset;
        return source.NextData(offset, length) / geometry.Granularity;
    }
}
