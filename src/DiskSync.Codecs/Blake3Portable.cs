using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static DiskSync.Codecs.Blake3Constants;

namespace DiskSync.Codecs;

/// <summary>
/// The compression function in plain 32-bit arithmetic (paper, section 2.2): runs anywhere, and is what every
/// vector path is tested against.
/// </summary>
/// <remarks>Words are read and written as they lie in memory, which is little endian on all but one platform.</remarks>
internal static class Blake3Portable
{
    /// <summary>Compresses one block to a chaining value.</summary>
    /// <param name="cv">8 words: the input chaining value.</param>
    /// <param name="block">64 bytes; the part beyond <paramref name="length"/> is zero.</param>
    /// <param name="length">Input bytes in the block, 0 to 64.</param>
    /// <param name="counter">Chunk number, 0 for a parent, output block number for extended output.</param>
    /// <param name="flags">Domain flags.</param>
    /// <param name="output">8 words; may be <paramref name="cv"/>, or overlap the block.</param>
    [SkipLocalsInit]
    public static void Compress(
        ReadOnlySpan<uint> cv, ReadOnlySpan<byte> block, uint length, ulong counter, uint flags, Span<uint> output)
    {
        Span<uint> extended = stackalloc uint[16];
        CompressExtended(cv, block, length, counter, flags, extended);
        extended[..CvWords].CopyTo(output);
    }

    /// <summary>Compresses one block to 64 bytes of extended output (paper, section 2.6).</summary>
    // AggressiveOptimization: see Blake3Lanes16. Here it matters for the first blocks of a process only.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void CompressExtended(
        ReadOnlySpan<uint> cv, ReadOnlySpan<byte> block, uint length, ulong counter, uint flags, Span<uint> output)
    {
        ReadOnlySpan<uint> m = MemoryMarshal.Cast<byte, uint>(block[..BlockLength]);
        uint m15 = m[15];
        uint m0 = m[0];
        uint m1 = m[1];
        uint m2 = m[2];
        uint m3 = m[3];
        uint m4 = m[4];
        uint m5 = m[5];
        uint m6 = m[6];
        uint m7 = m[7];
        uint m8 = m[8];
        uint m9 = m[9];
        uint m10 = m[10];
        uint m11 = m[11];
        uint m12 = m[12];
        uint m13 = m[13];
        uint m14 = m[14];
        uint v0 = cv[0];
        uint v1 = cv[1];
        uint v2 = cv[2];
        uint v3 = cv[3];
        uint v4 = cv[4];
        uint v5 = cv[5];
        uint v6 = cv[6];
        uint v7 = cv[7];
        uint v8 = Iv0;
        uint v9 = Iv1;
        uint v10 = Iv2;
        uint v11 = Iv3;
        uint v12 = (uint)counter;
        uint v13 = (uint)(counter >> 32);
        uint v14 = length;
        uint v15 = flags;

        // The message words in the order of the permutation, round by round (paper, table 2).
        Round(
            ref v0, ref v1, ref v2, ref v3, ref v4, ref v5, ref v6, ref v7,
            ref v8, ref v9, ref v10, ref v11, ref v12, ref v13, ref v14, ref v15,
            m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15);
        Round(
            ref v0, ref v1, ref v2, ref v3, ref v4, ref v5, ref v6, ref v7,
            ref v8, ref v9, ref v10, ref v11, ref v12, ref v13, ref v14, ref v15,
            m2, m6, m3, m10, m7, m0, m4, m13, m1, m11, m12, m5, m9, m14, m15, m8);
        Round(
            ref v0, ref v1, ref v2, ref v3, ref v4, ref v5, ref v6, ref v7,
            ref v8, ref v9, ref v10, ref v11, ref v12, ref v13, ref v14, ref v15,
            m3, m4, m10, m12, m13, m2, m7, m14, m6, m5, m9, m0, m11, m15, m8, m1);
        Round(
            ref v0, ref v1, ref v2, ref v3, ref v4, ref v5, ref v6, ref v7,
            ref v8, ref v9, ref v10, ref v11, ref v12, ref v13, ref v14, ref v15,
            m10, m7, m12, m9, m14, m3, m13, m15, m4, m0, m11, m2, m5, m8, m1, m6);
        Round(
            ref v0, ref v1, ref v2, ref v3, ref v4, ref v5, ref v6, ref v7,
            ref v8, ref v9, ref v10, ref v11, ref v12, ref v13, ref v14, ref v15,
            m12, m13, m9, m11, m15, m10, m14, m8, m7, m2, m5, m3, m0, m1, m6, m4);
        Round(
            ref v0, ref v1, ref v2, ref v3, ref v4, ref v5, ref v6, ref v7,
            ref v8, ref v9, ref v10, ref v11, ref v12, ref v13, ref v14, ref v15,
            m9, m14, m11, m5, m8, m12, m15, m1, m13, m3, m0, m10, m2, m6, m4, m7);
        Round(
            ref v0, ref v1, ref v2, ref v3, ref v4, ref v5, ref v6, ref v7,
            ref v8, ref v9, ref v10, ref v11, ref v12, ref v13, ref v14, ref v15,
            m11, m15, m5, m0, m1, m9, m8, m6, m14, m10, m2, m12, m3, m4, m7, m13);

        output[15] = v15 ^ cv[7];
        output[0] = v0 ^ v8;
        output[1] = v1 ^ v9;
        output[2] = v2 ^ v10;
        output[3] = v3 ^ v11;
        output[4] = v4 ^ v12;
        output[5] = v5 ^ v13;
        output[6] = v6 ^ v14;
        output[7] = v7 ^ v15;
        output[8] = v8 ^ cv[0];
        output[9] = v9 ^ cv[1];
        output[10] = v10 ^ cv[2];
        output[11] = v11 ^ cv[3];
        output[12] = v12 ^ cv[4];
        output[13] = v13 ^ cv[5];
        output[14] = v14 ^ cv[6];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round(
        ref uint v0, ref uint v1, ref uint v2, ref uint v3,
        ref uint v4, ref uint v5, ref uint v6, ref uint v7,
        ref uint v8, ref uint v9, ref uint v10, ref uint v11,
        ref uint v12, ref uint v13, ref uint v14, ref uint v15,
        uint x0, uint x1, uint x2, uint x3,
        uint x4, uint x5, uint x6, uint x7,
        uint x8, uint x9, uint x10, uint x11,
        uint x12, uint x13, uint x14, uint x15)
    {
        // The columns.
        v0 += x0;
        v1 += x2;
        v2 += x4;
        v3 += x6;
        v0 += v4;
        v1 += v5;
        v2 += v6;
        v3 += v7;
        v12 = BitOperations.RotateRight(v12 ^ v0, 16);
        v13 = BitOperations.RotateRight(v13 ^ v1, 16);
        v14 = BitOperations.RotateRight(v14 ^ v2, 16);
        v15 = BitOperations.RotateRight(v15 ^ v3, 16);
        v8 += v12;
        v9 += v13;
        v10 += v14;
        v11 += v15;
        v4 = BitOperations.RotateRight(v4 ^ v8, 12);
        v5 = BitOperations.RotateRight(v5 ^ v9, 12);
        v6 = BitOperations.RotateRight(v6 ^ v10, 12);
        v7 = BitOperations.RotateRight(v7 ^ v11, 12);
        v0 += x1;
        v1 += x3;
        v2 += x5;
        v3 += x7;
        v0 += v4;
        v1 += v5;
        v2 += v6;
        v3 += v7;
        v12 = BitOperations.RotateRight(v12 ^ v0, 8);
        v13 = BitOperations.RotateRight(v13 ^ v1, 8);
        v14 = BitOperations.RotateRight(v14 ^ v2, 8);
        v15 = BitOperations.RotateRight(v15 ^ v3, 8);
        v8 += v12;
        v9 += v13;
        v10 += v14;
        v11 += v15;
        v4 = BitOperations.RotateRight(v4 ^ v8, 7);
        v5 = BitOperations.RotateRight(v5 ^ v9, 7);
        v6 = BitOperations.RotateRight(v6 ^ v10, 7);
        v7 = BitOperations.RotateRight(v7 ^ v11, 7);

        // The diagonals.
        v0 += x8;
        v1 += x10;
        v2 += x12;
        v3 += x14;
        v0 += v5;
        v1 += v6;
        v2 += v7;
        v3 += v4;
        v15 = BitOperations.RotateRight(v15 ^ v0, 16);
        v12 = BitOperations.RotateRight(v12 ^ v1, 16);
        v13 = BitOperations.RotateRight(v13 ^ v2, 16);
        v14 = BitOperations.RotateRight(v14 ^ v3, 16);
        v10 += v15;
        v11 += v12;
        v8 += v13;
        v9 += v14;
        v5 = BitOperations.RotateRight(v5 ^ v10, 12);
        v6 = BitOperations.RotateRight(v6 ^ v11, 12);
        v7 = BitOperations.RotateRight(v7 ^ v8, 12);
        v4 = BitOperations.RotateRight(v4 ^ v9, 12);
        v0 += x9;
        v1 += x11;
        v2 += x13;
        v3 += x15;
        v0 += v5;
        v1 += v6;
        v2 += v7;
        v3 += v4;
        v15 = BitOperations.RotateRight(v15 ^ v0, 8);
        v12 = BitOperations.RotateRight(v12 ^ v1, 8);
        v13 = BitOperations.RotateRight(v13 ^ v2, 8);
        v14 = BitOperations.RotateRight(v14 ^ v3, 8);
        v10 += v15;
        v11 += v12;
        v8 += v13;
        v9 += v14;
        v5 = BitOperations.RotateRight(v5 ^ v10, 7);
        v6 = BitOperations.RotateRight(v6 ^ v11, 7);
        v7 = BitOperations.RotateRight(v7 ^ v8, 7);
        v4 = BitOperations.RotateRight(v4 ^ v9, 7);
    }
}
