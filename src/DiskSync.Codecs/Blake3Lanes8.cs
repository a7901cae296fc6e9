using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using static DiskSync.Codecs.Blake3Constants;
using V = System.Runtime.Intrinsics.Vector256<uint>;

namespace DiskSync.Codecs;

/// <summary>Hashes 8 inputs at a time, one a lane of <see cref="Vector256"/> (paper, section 5.3).</summary>
/// <remarks>
/// Vector i of the state holds word i of all 8 states, so a round is the scalar round with every operation done
/// on 8 lanes; no shuffle is needed but for the input and the output.
/// </remarks>
internal static class Blake3Lanes8
{
    /// <summary>Chaining values of 8 inputs of whole blocks, in place or not.</summary>
    /// <param name="input">The first input's first byte.</param>
    /// <param name="stride">Bytes from one input to the next.</param>
    /// <param name="blocks">64-byte blocks an input: 16 for a chunk, 1 for a parent.</param>
    /// <param name="key">8 words.</param>
    /// <param name="counter">The first input's chunk number; 0 for parents.</param>
    /// <param name="counterMask">
    /// Input i has number counter + (i and mask): all ones for chunks of one input, 0 for parents, chunks a block - 1
    /// for several small blocks.
    /// </param>
    /// <param name="flags">Flags of every block.</param>
    /// <param name="start">Flags of the first block.</param>
    /// <param name="end">Flags of the last block.</param>
    /// <param name="output">8 times 8 words, written after all input was read.</param>
    // AggressiveOptimization: ReadyToRun images hold no code for vectors wider than the baseline, so this method is
    // always compiled when first called. Left to tiering, that would be the unoptimised tier, in which every vector
    // goes through memory, and the first seconds of a run would go by in it (one long call is one call to the tier
    // counter). With it the first call is compiled in full. The price is that profile data is not used, and there
    // is nothing here to profile.
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Hash(
        ref readonly byte input,
        nint stride,
        int blocks,
        ReadOnlySpan<uint> key,
        ulong counter,
        uint counterMask,
        uint flags,
        uint start,
        uint end,
        Span<uint> output)
    {
        V h0 = Vector256.Create(key[0]);
        V h1 = Vector256.Create(key[1]);
        V h2 = Vector256.Create(key[2]);
        V h3 = Vector256.Create(key[3]);
        V h4 = Vector256.Create(key[4]);
        V h5 = Vector256.Create(key[5]);
        V h6 = Vector256.Create(key[6]);
        V h7 = Vector256.Create(key[7]);

        V low = Vector256.Create((uint)counter) + (V.Indices & Vector256.Create(counterMask));
        V high = Vector256.Create((uint)(counter >> 32)) - Vector256.LessThan(low, Vector256.Create((uint)counter));

        uint blockFlags = flags | start;
        nint offset = 0;
        while (blocks-- > 0)
        {
            if (blocks == 0)
            {
                blockFlags |= end;
            }

            V m0 = Blake3Memory.Load256(in input, offset);
            V m1 = Blake3Memory.Load256(in input, offset + stride);
            V m2 = Blake3Memory.Load256(in input, offset + (2 * stride));
            V m3 = Blake3Memory.Load256(in input, offset + (3 * stride));
            V m4 = Blake3Memory.Load256(in input, offset + (4 * stride));
            V m5 = Blake3Memory.Load256(in input, offset + (5 * stride));
            V m6 = Blake3Memory.Load256(in input, offset + (6 * stride));
            V m7 = Blake3Memory.Load256(in input, offset + (7 * stride));
            V m8 = Blake3Memory.Load256(in input, offset + 32);
            V m9 = Blake3Memory.Load256(in input, offset + 32 + stride);
            V m10 = Blake3Memory.Load256(in input, offset + 32 + (2 * stride));
            V m11 = Blake3Memory.Load256(in input, offset + 32 + (3 * stride));
            V m12 = Blake3Memory.Load256(in input, offset + 32 + (4 * stride));
            V m13 = Blake3Memory.Load256(in input, offset + 32 + (5 * stride));
            V m14 = Blake3Memory.Load256(in input, offset + 32 + (6 * stride));
            V m15 = Blake3Memory.Load256(in input, offset + 32 + (7 * stride));

            // The streams are one to a chunk, too many and too short for the processor to guess: fetch half a chunk
            // ahead, or from this lane's chunk in the next run. Data in main memory is hashed half as fast again.
            nint ahead = offset + Blake3Memory.PrefetchDistance;
            if (ahead >= stride)
            {
                ahead += 7 * stride;
            }

            Blake3Memory.Prefetch(in input, ahead);
            Blake3Memory.Prefetch(in input, ahead + stride);
            Blake3Memory.Prefetch(in input, ahead + (2 * stride));
            Blake3Memory.Prefetch(in input, ahead + (3 * stride));
            Blake3Memory.Prefetch(in input, ahead + (4 * stride));
            Blake3Memory.Prefetch(in input, ahead + (5 * stride));
            Blake3Memory.Prefetch(in input, ahead + (6 * stride));
            Blake3Memory.Prefetch(in input, ahead + (7 * stride));

            Transpose(ref m0, ref m1, ref m2, ref m3, ref m4, ref m5, ref m6, ref m7);
            Transpose(ref m8, ref m9, ref m10, ref m11, ref m12, ref m13, ref m14, ref m15);

            V v0 = h0;
            V v1 = h1;
            V v2 = h2;
            V v3 = h3;
            V v4 = h4;
            V v5 = h5;
            V v6 = h6;
            V v7 = h7;
            V v8 = Vector256.Create(Iv0);
            V v9 = Vector256.Create(Iv1);
            V v10 = Vector256.Create(Iv2);
            V v11 = Vector256.Create(Iv3);
            V v12 = low;
            V v13 = high;
            V v14 = Vector256.Create((uint)BlockLength);
            V v15 = Vector256.Create(blockFlags);

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

            h0 = v0 ^ v8;
            h1 = v1 ^ v9;
            h2 = v2 ^ v10;
            h3 = v3 ^ v11;
            h4 = v4 ^ v12;
            h5 = v5 ^ v13;
            h6 = v6 ^ v14;
            h7 = v7 ^ v15;
            offset += BlockLength;
            blockFlags = flags;
        }

        Transpose(ref h0, ref h1, ref h2, ref h3, ref h4, ref h5, ref h6, ref h7);
        h0.CopyTo(output);
        h1.CopyTo(output[CvWords..]);
        h2.CopyTo(output[(2 * CvWords)..]);
        h3.CopyTo(output[(3 * CvWords)..]);
        h4.CopyTo(output[(4 * CvWords)..]);
        h5.CopyTo(output[(5 * CvWords)..]);
        h6.CopyTo(output[(6 * CvWords)..]);
        h7.CopyTo(output[(7 * CvWords)..]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round(
        ref V v0, ref V v1, ref V v2, ref V v3,
        ref V v4, ref V v5, ref V v6, ref V v7,
        ref V v8, ref V v9, ref V v10, ref V v11,
        ref V v12, ref V v13, ref V v14, ref V v15,
        V x0, V x1, V x2, V x3,
        V x4, V x5, V x6, V x7,
        V x8, V x9, V x10, V x11,
        V x12, V x13, V x14, V x15)
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
        v12 = Rotate16(v12 ^ v0);
        v13 = Rotate16(v13 ^ v1);
        v14 = Rotate16(v14 ^ v2);
        v15 = Rotate16(v15 ^ v3);
        v8 += v12;
        v9 += v13;
        v10 += v14;
        v11 += v15;
        v4 = Rotate12(v4 ^ v8);
        v5 = Rotate12(v5 ^ v9);
        v6 = Rotate12(v6 ^ v10);
        v7 = Rotate12(v7 ^ v11);
        v0 += x1;
        v1 += x3;
        v2 += x5;
        v3 += x7;
        v0 += v4;
        v1 += v5;
        v2 += v6;
        v3 += v7;
        v12 = Rotate8(v12 ^ v0);
        v13 = Rotate8(v13 ^ v1);
        v14 = Rotate8(v14 ^ v2);
        v15 = Rotate8(v15 ^ v3);
        v8 += v12;
        v9 += v13;
        v10 += v14;
        v11 += v15;
        v4 = Rotate7(v4 ^ v8);
        v5 = Rotate7(v5 ^ v9);
        v6 = Rotate7(v6 ^ v10);
        v7 = Rotate7(v7 ^ v11);

        // The diagonals.
        v0 += x8;
        v1 += x10;
        v2 += x12;
        v3 += x14;
        v0 += v5;
        v1 += v6;
        v2 += v7;
        v3 += v4;
        v15 = Rotate16(v15 ^ v0);
        v12 = Rotate16(v12 ^ v1);
        v13 = Rotate16(v13 ^ v2);
        v14 = Rotate16(v14 ^ v3);
        v10 += v15;
        v11 += v12;
        v8 += v13;
        v9 += v14;
        v5 = Rotate12(v5 ^ v10);
        v6 = Rotate12(v6 ^ v11);
        v7 = Rotate12(v7 ^ v8);
        v4 = Rotate12(v4 ^ v9);
        v0 += x9;
        v1 += x11;
        v2 += x13;
        v3 += x15;
        v0 += v5;
        v1 += v6;
        v2 += v7;
        v3 += v4;
        v15 = Rotate8(v15 ^ v0);
        v12 = Rotate8(v12 ^ v1);
        v13 = Rotate8(v13 ^ v2);
        v14 = Rotate8(v14 ^ v3);
        v10 += v15;
        v11 += v12;
        v8 += v13;
        v9 += v14;
        v5 = Rotate7(v5 ^ v10);
        v6 = Rotate7(v6 ^ v11);
        v7 = Rotate7(v7 ^ v8);
        v4 = Rotate7(v4 ^ v9);
    }

    /// <summary>Turns 8 rows of 8 words into 8 columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose(
        ref V r0, ref V r1, ref V r2, ref V r3, ref V r4, ref V r5, ref V r6, ref V r7)
    {
        Transpose4(ref r0, ref r1, ref r2, ref r3);
        Transpose4(ref r4, ref r5, ref r6, ref r7);

        // Now rG+J (G = 0, 4; J = 0 to 3) holds in its 128-bit part B word 4B+J of rows G to G+3.
        Spread(ref r0, ref r4);
        Spread(ref r1, ref r5);
        Spread(ref r2, ref r6);
        Spread(ref r3, ref r7);
    }

    /// <summary>Transposes 4 by 4 words within each 128-bit part.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose4(ref V a, ref V b, ref V c, ref V d)
    {
        Vector256<ulong> ab = Avx2.UnpackLow(a, b).AsUInt64();
        Vector256<ulong> abHigh = Avx2.UnpackHigh(a, b).AsUInt64();
        Vector256<ulong> cd = Avx2.UnpackLow(c, d).AsUInt64();
        Vector256<ulong> cdHigh = Avx2.UnpackHigh(c, d).AsUInt64();
        a = Avx2.UnpackLow(ab, cd).AsUInt32();
        b = Avx2.UnpackHigh(ab, cd).AsUInt32();
        c = Avx2.UnpackLow(abHigh, cdHigh).AsUInt32();
        d = Avx2.UnpackHigh(abHigh, cdHigh).AsUInt32();
    }

    /// <summary>Transposes 2 by 2 parts of 128 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Spread(ref V a, ref V b)
    {
        V low = Avx2.Permute2x128(a, b, 0x20);
        b = Avx2.Permute2x128(a, b, 0x31);
        a = low;
    }

    // One instruction with AVX-512VL; otherwise a byte shuffle where the distance is whole bytes.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Rotate16(V x) =>
        Avx512F.VL.IsSupported ? Avx512F.VL.RotateRight(x, 16) : Avx2.Shuffle(
            x.AsByte(),
            Vector256.Create(
                (byte)2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13,
                2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)).AsUInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Rotate12(V x) =>
        Avx512F.VL.IsSupported ? Avx512F.VL.RotateRight(x, 12) : (x >>> 12) | (x << 20);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Rotate8(V x) =>
        Avx512F.VL.IsSupported ? Avx512F.VL.RotateRight(x, 8) : Avx2.Shuffle(
            x.AsByte(),
            Vector256.Create(
                (byte)1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12,
                1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12)).AsUInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Rotate7(V x) =>
        Avx512F.VL.IsSupported ? Avx512F.VL.RotateRight(x, 7) : (x >>> 7) | (x << 25);
}
