using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static DiskSync.Codecs.Blake3Constants;

namespace DiskSync.Codecs;

/// <summary>Hashes a whole input that lies in memory (paper, sections 2.1 and 5.1).</summary>
internal static class Blake3Tree
{
    /// <summary>Chunks hashed at a time: enough to fill the lanes at most levels, few enough for the stack.</summary>
    public const int GroupChunks = 512;

    private const int GroupLength = GroupChunks * ChunkLength;

    /// <summary>The root's node of an input.</summary>
    /// <param name="data">Any length.</param>
    /// <param name="key">8 words.</param>
    /// <param name="flags">The mode's flag.</param>
    /// <param name="prefixes">
    /// Empty, or one element for each 4 KiB sub-block of <paramref name="data"/>, the last of which may be short:
    /// receives the first 8 bytes of its chaining value.
    /// </param>
    /// <param name="lanes">Widest kernel allowed.</param>
    [SkipLocalsInit]
    public static Blake3Node Hash(
        ReadOnlySpan<byte> data, ReadOnlySpan<uint> key, uint flags, Span<ulong> prefixes, int lanes)
    {
        Span<uint> cvs = stackalloc uint[GroupChunks * CvWords];
        if (data.Length <= GroupLength)
        {
            return HashGroup(data, key, 0, flags, prefixes, cvs, lanes);
        }

        Blake3CvStack stack = default;
        ulong chunks = 0;
        for (; data.Length > GroupLength; data = data[GroupLength..])
        {
            HashGroup(data[..GroupLength], key, chunks, flags, prefixes, cvs, lanes).ChainingValue(cvs, lanes);
            stack.Push(cvs, chunks / GroupChunks, key, flags, lanes);
            chunks += GroupChunks;
            prefixes = prefixes.IsEmpty ? prefixes : prefixes[(GroupLength / SubBlockLength)..];
        }

        stack.MergeTo(System.Numerics.BitOperations.PopCount(chunks), key, flags, lanes);
        return stack.Join(HashGroup(data, key, chunks, flags, prefixes, cvs, lanes), key, flags, lanes);
    }

    /// <summary>
    /// Reduces a subtree of more than one chunk, not its last merge included, to the two values below its top.
    /// </summary>
    /// <param name="data">More than 1024 bytes, at most <see cref="GroupChunks"/> chunks.</param>
    /// <param name="key">8 words.</param>
    /// <param name="counter">The first chunk's number.</param>
    /// <param name="flags">The mode's flag.</param>
    /// <param name="prefixes">As for <see cref="Hash"/>; not filled for at most one sub-block.</param>
    /// <param name="cvs">Room for 8 words a chunk; the first 16 are the result.</param>
    /// <param name="lanes">Widest kernel allowed.</param>
    public static void HashToPair(
        ReadOnlySpan<byte> data,
        ReadOnlySpan<uint> key,
        ulong counter,
        uint flags,
        Span<ulong> prefixes,
        Span<uint> cvs,
        int lanes)
    {
        int whole = data.Length / ChunkLength;
        ReadOnlySpan<byte> chunks = data[..(whole * ChunkLength)];
        Blake3Kernels.HashChunks(chunks, key, counter, ulong.MaxValue, flags, cvs, lanes);
        int count = whole;
        if (data.Length % ChunkLength != 0)
        {
            Blake3Node.Chunk(data[(whole * ChunkLength)..], key, counter + (ulong)whole, flags, lanes)
                .ChainingValue(cvs[(whole * CvWords)..], lanes);
            count++;
        }

        // Level by level. An odd value at the end rises unchanged: this gives the tree of paper section 2.1, in
        // which the left subtree is the largest complete one that leaves something for the right.
        for (int level = 1; count > 2; level++)
        {
            int pairs = count / 2;
            Blake3Kernels.HashParents(cvs, pairs, key, flags, lanes);
            if ((count & 1) != 0)
            {
                cvs.Slice((count - 1) * CvWords, CvWords).CopyTo(cvs[(pairs * CvWords)..]);
            }

            count -= pairs;
            if (level == 2 && !prefixes.IsEmpty)
            {
                CopyPrefixes(cvs, prefixes[..count]);
            }
        }
    }

    /// <summary>Hashes several blocks of one length at once, so that the lanes are full at all levels.</summary>
    /// <param name="data">A multiple of the block length, at most <see cref="GroupChunks"/> chunks.</param>
    /// <param name="blockChunks">Chunks a block: a power of two, at least 2.</param>
    /// <param name="hashes">One for each block.</param>
    /// <param name="prefixes">Empty, or one for each sub-block; then a block is more than one sub-block.</param>
    /// <param name="lanes">Widest kernel allowed.</param>
    [SkipLocalsInit]
    public static void HashBlocks(
        ReadOnlySpan<byte> data, int blockChunks, Span<Hash256> hashes, Span<ulong> prefixes, int lanes)
    {
        Span<uint> cvs = stackalloc uint[GroupChunks * CvWords];
        Blake3Kernels.HashChunks(data, Iv, 0, (ulong)blockChunks - 1, 0, cvs, lanes);
        int count = data.Length / ChunkLength;
        int blocks = count / blockChunks;
        for (int level = 1; count > blocks; level++)
        {
            count /= 2;
            Blake3Kernels.HashParents(cvs, count, Iv, count == blocks ? Root : 0, lanes);
            if (level == 2 && !prefixes.IsEmpty)
            {
                CopyPrefixes(cvs, prefixes[..count]);
            }
        }

        MemoryMarshal.Cast<uint, Hash256>(cvs)[..blocks].CopyTo(hashes);
    }

    // After two levels there are four chunks to a value: these are the sub-blocks.
    private static void CopyPrefixes(ReadOnlySpan<uint> cvs, Span<ulong> prefixes)
    {
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<uint, ulong>(cvs);
        for (int i = 0; i < prefixes.Length; i++)
        {
            prefixes[i] = words[i * (CvWords / 2)];
        }
    }

    private static Blake3Node HashGroup(
        ReadOnlySpan<byte> data,
        ReadOnlySpan<uint> key,
        ulong counter,
        uint flags,
        Span<ulong> prefixes,
        Span<uint> cvs,
        int lanes)
    {
        Blake3Node top;
        if (data.Length <= ChunkLength)
        {
            top = Blake3Node.Chunk(data, key, counter, flags, lanes);
        }
        else
        {
            HashToPair(data, key, counter, flags, prefixes, cvs, lanes);
            top = Blake3Node.OfPair(cvs, key, flags);
        }

        if (data.Length <= SubBlockLength && !prefixes.IsEmpty)
        {
            // The top itself is the only sub-block: its value without the root flag, once more.
            top.ChainingValue(cvs, lanes);
            prefixes[0] = MemoryMarshal.Cast<uint, ulong>(cvs[..2])[0];
        }

        return top;
    }
}
