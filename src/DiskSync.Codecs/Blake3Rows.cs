using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using static DiskSync.Codecs.Blake3Constants;
using Row = System.Runtime.Intrinsics.Vector128<uint>;

namespace DiskSync.Codecs;

/// <summary>
/// One compression at a time, the state's four rows in a vector each (paper, section 5.3), for what is left over by
/// the lanes: the top of a tree, and the last, short chunk.
/// </summary>
internal static class Blake3Rows
{
    /// <summary>True where the processor has the instructions.</summary>
    public static bool IsSupported => Avx512F.VL.IsSupported;

    /// <summary>As <see cref="Blake3Portable.Compress"/>.</summary>
    // AggressiveOptimization: see Blake3Lanes16.
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Compress(
        ReadOnlySpan<uint> cv, ReadOnlySpan<byte> block, uint length, ulong counter, uint flags, Span<uint> output)
    {
        // Four small loads instead of one: the block was mostly written just now by stores of 16 or 32 bytes, and the
        // processor forwards a store only to a load that lies within it.
        ReadOnlySpan<uint> words = MemoryMarshal.Cast<byte, uint>(block);
        Vector512<uint> m = Vector512.Create(
            Vector256.Create(Vector128.Create(words), Vector128.Create(words[4..])),
            Vector256.Create(Vector128.Create(words[8..]), Vector128.Create(words[12..])));
        Row a = Vector128.Create(cv);
        Row b = Vector128.Create(cv[4..]);
        Row c = Vector128.Create(Iv0, Iv1, Iv2, Iv3);
        Row d = Vector128.Create((uint)counter, (uint)(counter >> 32), length, flags);

        // One permutation of all sixteen words brings a round's words into place: first words of the columns, second
        // words of the columns, then the same of the diagonals, which start with the one that holds v4 (see Round).
        Round(
            ref a, ref b, ref c, ref d, Avx512F.PermuteVar16x32(
                m, Vector512.Create(0U, 2, 4, 6, 1, 3, 5, 7, 14, 8, 10, 12, 15, 9, 11, 13)));
        Round(
            ref a, ref b, ref c, ref d, Avx512F.PermuteVar16x32(
                m, Vector512.Create(2U, 3, 7, 4, 6, 10, 0, 13, 15, 1, 12, 9, 8, 11, 5, 14)));
        Round(
            ref a, ref b, ref c, ref d, Avx512F.PermuteVar16x32(
                m, Vector512.Create(3U, 10, 13, 7, 4, 12, 2, 14, 8, 6, 9, 11, 1, 5, 0, 15)));
        Round(
            ref a, ref b, ref c, ref d, Avx512F.PermuteVar16x32(
                m, Vector512.Create(10U, 12, 14, 13, 7, 9, 3, 15, 1, 4, 11, 5, 6, 0, 2, 8)));
        Round(
            ref a, ref b, ref c, ref d, Avx512F.PermuteVar16x32(
                m, Vector512.Create(12U, 9, 15, 14, 13, 11, 10, 8, 6, 7, 5, 0, 4, 2, 3, 1)));
        Round(
            ref a, ref b, ref c, ref d, Avx512F.PermuteVar16x32(
                m, Vector512.Create(9U, 11, 8, 15, 14, 5, 12, 1, 4, 13, 0, 2, 7, 3, 10, 6)));
        Round(
            ref a, ref b, ref c, ref d, Avx512F.PermuteVar16x32(
                m, Vector512.Create(11U, 5, 1, 8, 15, 0, 9, 6, 7, 14, 2, 3, 13, 10, 12, 4)));

        (a ^ c).CopyTo(output);
        (b ^ d).CopyTo(output[4..]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round(ref Row a, ref Row b, ref Row c, ref Row d, Vector512<uint> words)
    {
        Half(ref a, ref b, ref c, ref d, words.GetLower().GetLower(), words.GetLower().GetUpper());

        // Row b is ready last, so it stays and the other three turn to form the diagonals around it.
        a = Vector128.Shuffle(a, Vector128.Create(3U, 0, 1, 2));
        c = Vector128.Shuffle(c, Vector128.Create(1U, 2, 3, 0));
        d = Vector128.Shuffle(d, Vector128.Create(2U, 3, 0, 1));
        Half(ref a, ref b, ref c, ref d, words.GetUpper().GetLower(), words.GetUpper().GetUpper());
        a = Vector128.Shuffle(a, Vector128.Create(1U, 2, 3, 0));
        c = Vector128.Shuffle(c, Vector128.Create(3U, 0, 1, 2));
        d = Vector128.Shuffle(d, Vector128.Create(2U, 3, 0, 1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Half(ref Row a, ref Row b, ref Row c, ref Row d, Row x, Row y)
    {
        a = a + x + b;
        d = Avx512F.VL.RotateRight(d ^ a, 16);
        c += d;
        b = Avx512F.VL.RotateRight(b ^ c, 12);
        a = a + y + b;
        d = Avx512F.VL.RotateRight(d ^ a, 8);
        c += d;
        b = Avx512F.VL.RotateRight(b ^ c, 7);
    }
}
