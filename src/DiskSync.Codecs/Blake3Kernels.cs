using static DiskSync.Codecs.Blake3Constants;

namespace DiskSync.Codecs;

/// <summary>Chooses the kernel for a piece of work.</summary>
internal static class Blake3Kernels
{
    /// <summary>The widest kernel this processor runs well: 16, 8, 4 lanes, or 1 for plain arithmetic.</summary>
    public static int WidestLanes => 1;

    /// <summary>Compresses one block, replacing the chaining value.</summary>
    public static void CompressInPlace(
        Span<uint> cv, ReadOnlySpan<byte> block, uint length, ulong counter, uint flags, int lanes) =>
        Blake3Portable.CompressInPlace(cv, block, length, counter, flags);

    /// <summary>The chaining values of whole chunks that follow each other.</summary>
    /// <param name="data">A multiple of 1024 bytes.</param>
    /// <param name="key">8 words.</param>
    /// <param name="counter">The first chunk's number.</param>
    /// <param name="flags">The mode's flag.</param>
    /// <param name="cvs">8 words a chunk.</param>
    /// <param name="lanes">Widest kernel allowed.</param>
    public static void HashChunks(
        ReadOnlySpan<byte> data, ReadOnlySpan<uint> key, ulong counter, uint flags, Span<uint> cvs, int lanes)
    {
        while (data.Length > 0)
        {
            Blake3Node.Chunk(data[..ChunkLength], key, counter++, flags, lanes).ChainingValue(cvs, lanes);
            data = data[ChunkLength..];
            cvs = cvs[CvWords..];
        }
    }

    /// <summary>Replaces pairs of chaining values by their parents' values, in place.</summary>
    /// <param name="cvs">16 words a pair; on return the first 8 words a pair hold the result.</param>
    /// <param name="count">Pairs.</param>
    /// <param name="key">8 words.</param>
    /// <param name="flags">The mode's flag.</param>
    /// <param name="lanes">Widest kernel allowed.</param>
    public static void HashParents(Span<uint> cvs, int count, ReadOnlySpan<uint> key, uint flags, int lanes)
    {
        for (int i = 0; i < count; i++)
        {
            Blake3Node.OfPair(cvs[(i * 2 * CvWords)..], key, flags).ChainingValue(cvs[(i * CvWords)..], lanes);
        }
    }
}
