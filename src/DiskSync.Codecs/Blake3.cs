using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using static DiskSync.Codecs.Blake3Constants;

namespace DiskSync.Codecs;

/// <summary>BLAKE3 of an input that lies in memory: the hash of blocks, map nodes and roots.</summary>
/// <remarks>
/// Written from the paper "BLAKE3: one function, fast everywhere" (O'Connor, Aumasson, Neves, Wilcox-O'Hearn).
/// Nothing here allocates; everything is safe to call from several threads at once and uses only the calling one.
/// Chunks are hashed 16, 8 or 4 at a time as the processor allows. See <see cref="Blake3Hasher"/> for input that
/// arrives in pieces.
/// </remarks>
public static class Blake3
{
    /// <summary>The length of a key in bytes.</summary>
    public const int KeyLength = 32;

    /// <summary>Bytes of a sub-block, the parts of a block that have a prefix of their own.</summary>
    public const int SubBlockLength = Blake3Constants.SubBlockLength;

    /// <summary>Bytes of the longest block that has sub-blocks.</summary>
    public const int MaxBlockLength = 4 << 20;

    /// <summary>Hashes an input (paper, section 2.3, mode hash).</summary>
    /// <param name="data">Any length, 0 included.</param>
    /// <returns>The hash, as <c>b3sum</c> prints it.</returns>
    public static Hash256 Hash(ReadOnlySpan<byte> data)
    {
        int lanes = Blake3Kernels.LanesFor(data.Length);
        return Blake3Tree.Hash(data, Iv, 0, [], lanes).RootHash(lanes);
    }

    /// <summary>Hashes an input to an output of any length (paper, section 2.6).</summary>
    /// <param name="data">Any length.</param>
    /// <param name="output">Filled wholly; a shorter output is a prefix of a longer one.</param>
    public static void Hash(ReadOnlySpan<byte> data, Span<byte> output) =>
        Blake3Tree.Hash(data, Iv, 0, [], Blake3Kernels.WidestLanes).RootOutput(output, 0);

    /// <summary>Hashes an input under a key (paper, section 2.3, mode keyed_hash).</summary>
    /// <param name="key">32 bytes.</param>
    /// <param name="data">Any length.</param>
    /// <exception cref="ArgumentException">The key has not 32 bytes.</exception>
    public static Hash256 KeyedHash(ReadOnlySpan<byte> key, ReadOnlySpan<byte> data)
    {
        Span<uint> words = stackalloc uint[CvWords];
        ReadKey(key, words);
        int lanes = Blake3Kernels.LanesFor(data.Length);
        return Blake3Tree.Hash(data, words, Blake3Constants.KeyedHash, [], lanes).RootHash(lanes);
    }

    /// <summary>Derives a key (paper, section 2.3, mode derive_key).</summary>
    /// <param name="context">Hard-coded, globally unique text that names the application and the purpose.</param>
    /// <param name="material">The key material; may be empty where only a distinct constant is wanted.</param>
    /// <param name="output">Filled wholly.</param>
    public static void DeriveKey(string context, ReadOnlySpan<byte> material, Span<byte> output)
    {
        Span<uint> key = stackalloc uint[CvWords];
        ContextKey(context, key);
        Blake3Tree.Hash(material, key, DeriveKeyMaterial, [], Blake3Kernels.LanesFor(material.Length)).RootOutput(output, 0);
    }

    /// <summary>Hashes a block, and yields the values of its 4 KiB sub-blocks that the tree holds anyway.</summary>
    /// <param name="block">1 byte to <see cref="MaxBlockLength"/>; 0 bytes have a hash and no sub-block.</param>
    /// <param name="subBlockPrefixes">
    /// Empty, or at least one element for each sub-block (the last may be short): receives the first 8 bytes, little
    /// endian, of the chaining value of that subtree (paper, section 2.4). This value depends on the sub-block's
    /// bytes and on its position in the block. It never has the root flag, so for a block of at most one sub-block
    /// it is not a prefix of the block's hash. 8 bytes tell which sub-blocks probably changed; they prove nothing.
    /// </param>
    /// <returns>The same as <see cref="Hash(ReadOnlySpan{byte})"/>.</returns>
    /// <exception cref="ArgumentException">The block is too long or the room too small.</exception>
    public static Hash256 HashBlock(ReadOnlySpan<byte> block, Span<ulong> subBlockPrefixes) =>
        HashBlock(block, subBlockPrefixes, Blake3Kernels.LanesFor(block.Length));

    /// <summary>Hashes blocks of one length that follow each other: faster than one by one.</summary>
    /// <remarks>
    /// The values are those of <see cref="HashBlock(ReadOnlySpan{byte}, Span{ulong})"/>. Give 256 KiB and more, but no
    /// more than stays in the processor's second cache: the upper levels of all blocks are then hashed together, which
    /// gains a few percent at 64 KiB a block and more than doubles the speed at 4 KiB.
    /// </remarks>
    /// <param name="data">Any length; the last block may be short.</param>
    /// <param name="blockLength">Bytes a block, at most <see cref="MaxBlockLength"/>; best a power of two.</param>
    /// <param name="hashes">At least one element for each block.</param>
    /// <param name="subBlockPrefixes">
    /// Empty, or at least one element for each sub-block of all blocks; then <paramref name="blockLength"/> must be a
    /// multiple of <see cref="SubBlockLength"/>.
    /// </param>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    public static void HashBlocks(
        ReadOnlySpan<byte> data, int blockLength, Span<Hash256> hashes, Span<ulong> subBlockPrefixes) =>
        HashBlocks(data, blockLength, hashes, subBlockPrefixes, Blake3Kernels.LanesFor(data.Length));

    /// <summary>The same with a chosen kernel.</summary>
    internal static void HashBlocks(
        ReadOnlySpan<byte> data, int blockLength, Span<Hash256> hashes, Span<ulong> subBlockPrefixes, int lanes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(blockLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(blockLength, MaxBlockLength);
        bool wanted = !subBlockPrefixes.IsEmpty;
        if (wanted && blockLength % SubBlockLength != 0)
        {
            throw new ArgumentException(
                $"blocks of {blockLength} bytes are not whole sub-blocks of {SubBlockLength}", nameof(blockLength));
        }

        long count = ((long)data.Length + blockLength - 1) / blockLength;
        int subBlocks = (data.Length + SubBlockLength - 1) / SubBlockLength;
        if (hashes.Length < count || (wanted && subBlockPrefixes.Length < subBlocks))
        {
            throw new ArgumentException(
                $"{count} blocks of {subBlocks} sub-blocks need room for as many results, "
                + $"not {hashes.Length} and {subBlockPrefixes.Length}",
                nameof(hashes));
        }

        // Together where it pays: whole blocks of a power of two of chunks that share a group with others. A block
        // of one sub-block needs its top without the root flag as well, so with prefixes it goes alone.
        int shared = 0;
        if (BitOperations.IsPow2(blockLength)
            && blockLength >= 2 * ChunkLength
            && blockLength <= Blake3Tree.GroupChunks / 2 * ChunkLength
            && (!wanted || blockLength > SubBlockLength))
        {
            shared = Blake3Tree.GroupChunks * ChunkLength / blockLength;
        }

        while (!data.IsEmpty)
        {
            int blocks = Math.Min(shared, data.Length / blockLength);
            int length = Math.Min(data.Length, Math.Max(blocks, 1) * blockLength);
            int parts = wanted ? (length + SubBlockLength - 1) / SubBlockLength : 0;
            if (blocks > 1)
            {
                int chunks = blockLength / ChunkLength;
                Blake3Tree.HashBlocks(data[..length], chunks, hashes[..blocks], subBlockPrefixes[..parts], lanes);
            }
            else
            {
                blocks = 1;
                hashes[0] = HashBlock(data[..length], subBlockPrefixes[..parts], lanes);
            }

            data = data[length..];
            hashes = hashes[blocks..];
            subBlockPrefixes = subBlockPrefixes[parts..];
        }
    }

    /// <summary>The same with a chosen kernel.</summary>
    internal static Hash256 HashBlock(ReadOnlySpan<byte> block, Span<ulong> subBlockPrefixes, int lanes)
    {
        if (block.Length > MaxBlockLength)
        {
            throw new ArgumentException(
                $"a block has at most {MaxBlockLength} bytes, not {block.Length}", nameof(block));
        }

        int subBlocks = (block.Length + SubBlockLength - 1) / SubBlockLength;
        if (!subBlockPrefixes.IsEmpty)
        {
            if (subBlockPrefixes.Length < subBlocks)
            {
                throw new ArgumentException(
                    $"{subBlocks} sub-blocks need room for as many prefixes, not {subBlockPrefixes.Length}",
                    nameof(subBlockPrefixes));
            }

            subBlockPrefixes = subBlockPrefixes[..subBlocks];
        }

        return Blake3Tree.Hash(block, Iv, 0, subBlockPrefixes, lanes).RootHash(lanes);
    }

    /// <summary>Reads a key's words.</summary>
    /// <exception cref="ArgumentException">The key has not 32 bytes.</exception>
    internal static void ReadKey(ReadOnlySpan<byte> key, Span<uint> words)
    {
        if (key.Length != KeyLength)
        {
            throw new ArgumentException($"a key has {KeyLength} bytes, not {key.Length}", nameof(key));
        }

        key.CopyTo(MemoryMarshal.AsBytes(words));
    }

    /// <summary>The key that stands for a context: the hash of its text under a flag of its own.</summary>
    internal static void ContextKey(string context, Span<uint> key)
    {
        ArgumentNullException.ThrowIfNull(context);
        int lanes = Blake3Kernels.LanesFor(context.Length);
        Blake3Tree.Hash(Encoding.UTF8.GetBytes(context), Iv, DeriveKeyContext, [], lanes)
            .RootHash(lanes)
            .CopyTo(MemoryMarshal.AsBytes(key));
    }
}
