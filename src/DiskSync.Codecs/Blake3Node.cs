using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static DiskSync.Codecs.Blake3Constants;

namespace DiskSync.Codecs;

/// <summary>
/// The last compression of a chunk or a parent, not yet done: whether it is the root, and so which flag it takes,
/// is known only at the end of the input (paper, section 2.5).
/// </summary>
internal struct Blake3Node
{
    private Words8 _cv;
    private Block _block;
    private ulong _counter;
    private uint _length;
    private uint _flags;

    /// <summary>The node of one chunk of 0 to 1024 bytes (paper, section 2.4).</summary>
    public static Blake3Node Chunk(
        ReadOnlySpan<byte> data, ReadOnlySpan<uint> key, ulong counter, uint flags, int lanes)
    {
        Blake3Node node = default;
        Span<uint> cv = node._cv;
        key[..CvWords].CopyTo(cv);
        uint start = ChunkStart;
        while (data.Length > BlockLength)
        {
            Blake3Kernels.Compress(cv, data[..BlockLength], BlockLength, counter, flags | start, cv, lanes);
            data = data[BlockLength..];
            start = 0;
        }

        data.CopyTo(node._block);
        node._counter = counter;
        node._length = (uint)data.Length;
        node._flags = flags | start | ChunkEnd;
        return node;
    }

    /// <summary>The node above two chaining values.</summary>
    /// <param name="pair">16 words: the left child's value, then the right child's.</param>
    /// <param name="key">8 words.</param>
    /// <param name="flags">The mode's flag.</param>
    public static Blake3Node OfPair(ReadOnlySpan<uint> pair, ReadOnlySpan<uint> key, uint flags)
    {
        Blake3Node node = default;
        key[..CvWords].CopyTo(node._cv);
        MemoryMarshal.AsBytes(pair[..(2 * CvWords)]).CopyTo(node._block);
        node._length = BlockLength;
        node._flags = flags | Parent;
        return node;
    }

    /// <summary>The chaining value, as the parent takes it.</summary>
    public readonly void ChainingValue(Span<uint> cv, int lanes) =>
        Blake3Kernels.Compress(_cv, _block, _length, _counter, _flags, cv, lanes);

    /// <summary>The root's first 32 bytes.</summary>
    [SkipLocalsInit]
    public readonly Hash256 RootHash(int lanes)
    {
        Span<uint> cv = stackalloc uint[CvWords];
        Blake3Kernels.Compress(_cv, _block, _length, 0, _flags | Root, cv, lanes);
        return new Hash256(MemoryMarshal.AsBytes(cv));
    }

    /// <summary>The root's output from any position on (paper, section 2.6).</summary>
    [SkipLocalsInit]
    public readonly void RootOutput(Span<byte> output, ulong seek)
    {
        Span<uint> words = stackalloc uint[BlockLength / sizeof(uint)];
        Span<byte> bytes = MemoryMarshal.AsBytes(words);
        ulong number = seek / BlockLength;
        int skip = (int)(seek % BlockLength);
        while (output.Length > 0)
        {
            Blake3Portable.CompressExtended(_cv, _block, _length, number++, _flags | Root, words);
            int take = Math.Min(output.Length, BlockLength - skip);
            bytes.Slice(skip, take).CopyTo(output);
            output = output[take..];
            skip = 0;
        }
    }

    [InlineArray(BlockLength)]
    private struct Block
    {
        private byte _first;
    }

    [InlineArray(CvWords)]
    private struct Words8
    {
        private uint _first;
    }
}
