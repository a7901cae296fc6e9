using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static DiskSync.Codecs.Blake3Constants;

namespace DiskSync.Codecs;

/// <summary>
/// The chaining values of the finished subtrees left of the current position, largest first (paper, section 5.1.2).
/// Merging is lazy: two values become one only when a later one arrives, so the root is never merged too early.
/// </summary>
internal struct Blake3CvStack
{
    // 2^54 chunks are 2^64 bytes; one more for the right half of a pair that is not merged yet.
    private const int Depth = 55;

    private Values _values;

    /// <summary>Values on the stack.</summary>
    public int Count { get; private set; }

    /// <summary>Adds the value of a complete subtree.</summary>
    /// <param name="cv">8 words.</param>
    /// <param name="chunksBefore">Chunks left of that subtree.</param>
    /// <param name="key">8 words.</param>
    /// <param name="flags">The mode's flag.</param>
    /// <param name="lanes">Widest kernel allowed.</param>
    public void Push(ReadOnlySpan<uint> cv, ulong chunksBefore, ReadOnlySpan<uint> key, uint flags, int lanes)
    {
        MergeTo(BitOperations.PopCount(chunksBefore), key, flags, lanes);
        cv[..CvWords].CopyTo(At(Count++));
    }

    /// <summary>Merges until as many values are left as the number of chunks has one bits.</summary>
    public void MergeTo(int count, ReadOnlySpan<uint> key, uint flags, int lanes)
    {
        while (Count > count)
        {
            Span<uint> pair = Pair(Count - 2);
            Blake3Kernels.Compress(key, MemoryMarshal.AsBytes(pair), BlockLength, 0, flags | Parent, pair, lanes);
            Count--;
        }
    }

    /// <summary>Joins a last node, right of everything on the stack, with the values here: the root's node.</summary>
    [SkipLocalsInit]
    public readonly Blake3Node Join(Blake3Node last, ReadOnlySpan<uint> key, uint flags, int lanes)
    {
        Span<uint> pair = stackalloc uint[2 * CvWords];
        for (int i = Count - 1; i >= 0; i--)
        {
            ((ReadOnlySpan<uint>)_values).Slice(i * CvWords, CvWords).CopyTo(pair);
            last.ChainingValue(pair[CvWords..], lanes);
            last = Blake3Node.OfPair(pair, key, flags);
        }

        return last;
    }

    /// <summary>The root's node where the stack holds the whole input: at least two values.</summary>
    public Blake3Node JoinAll(ReadOnlySpan<uint> key, uint flags, int lanes)
    {
        Blake3CvStack rest = this;
        rest.Count -= 2;
        return rest.Join(Blake3Node.OfPair(Pair(Count - 2), key, flags), key, flags, lanes);
    }

    /// <summary>Forgets everything.</summary>
    public void Clear() => Count = 0;

    [UnscopedRef]
    private Span<uint> At(int index) => ((Span<uint>)_values).Slice(index * CvWords, CvWords);

    [UnscopedRef]
    private Span<uint> Pair(int index) => ((Span<uint>)_values).Slice(index * CvWords, 2 * CvWords);

    [InlineArray(Depth * CvWords)]
    private struct Values
    {
        private uint _first;
    }
}
