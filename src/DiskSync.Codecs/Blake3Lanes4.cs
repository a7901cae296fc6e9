using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using static DiskSync.Codecs.Blake3Constants;
using V = System.Runtime.Intrinsics.Vector128<uint>;

namespace DiskSync.Codecs;

/// <summary>Hashes 4 inputs at a time, one a lane of <see cref="Vector128"/> (paper, section 5.3).</summary>
/// <remarks>
/// Vector i of the state holds word i of all 4 states, so a round is the scalar round with every operation done
/// on 4 lanes; no shuffle is needed but for the input and the output.
/// </remarks>
internal static class Blake3Lanes4
{
    /// <summary>Chaining values of 4 inputs of whole blocks, in place or not.</summary>
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
    /// <param name="output">4 times 8 words, written after all input was read.</param>
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
        V h0 = Vector128.Create(key[0]);
        V h1 = Vector128.Create(key[1]);
        V h2 = Vector128.Create(key[2]);
        V h3 = Vector128.Create(key[3]);
        V h4 = Vector128.Create(key[4]);
        V h5 = Vector128.Create(key[5]);
        V h6 = Vector128.Create(key[6]);
        V h7 = Vector128.Create(key[7]);

        V low = Vector128.Create((uint)counter) + (V.Indices & Vector128.Create(counterMask));
        V high = Vector128.Create((uint)(counter >> 32)) - Vector128.LessThan(low, Vector128.Create((uint)counter));

        uint blockFlags = flags | start;
        nint offset = 0;
        while (blocks-- > 0)
        {
            if (blocks == 0)
            {
                blockFlags |= end;
            }

            V m0 = Blake3Memory.Load128(in input, offset);
            V m1 = Blake3Memory.Load128(in input, offset + stride);
            V m2 = Blake3Memory.Load128(in input, offset + (2 * stride));
            V m3 = Blake3Memory.Load128(in input, offset + (3 * stride));
            V m4 = Blake3Memory.Load128(in input, offset + 16);
            V m5 = Blake3Memory.Load128(in input, offset + 16 + stride);
            V m6 = Blake3Memory.Load128(in input, offset + 16 + (2 * stride));
            V m7 = Blake3Memory.Load128(in input, offset + 16 + (3 * stride));
            V m8 = Blake3Memory.Load128(in input, offset + 32);
            V m9 = Blake3Memory.Load128(in input, offset + 32 + stride);
            V m10 = Blake3Memory.Load128(in input, offset + 32 + (2 * stride));
            V m11 = Blake3Memory.Load128(in input, offset + 32 + (3 * stride));
            V m12 = Blake3Memory.Load128(in input, offset + 48);
            V m13 = Blake3Memory.Load128(in input, offset + 48 + stride);
            V m14 = Blake3Memory.Load128(in input, offset + 48 + (2 * stride));
            V m15 = Blake3Memory.Load128(in input, offset + 48 + (3 * stride));
            Transpose(ref m0, ref m1, ref m2, ref m3);
            Transpose(ref m4, ref m5, ref m6, ref m7);
            Transpose(ref m8, ref m9, ref m10, ref m11);
            Transpose(ref m12, ref m13, ref m14, ref m15);

            V v0 = h0;
            V v1 = h1;
            V v2 = h2;
            V v3 = h3;
            V v4 = h4;
            V v5 = h5;
            V v6 = h6;
            V v7 = h7;
            V v8 = Vector128.Create(Iv0);
            V v9 = Vector128.Create(Iv1);
            V v10 = Vector128.Create(Iv2);
            V v11 = Vector128.Create(Iv3);
            V v12 = low;
            V v13 = high;
            V v14 = Vector128.Create((uint)BlockLength);
            V v15 = Vector128.Create(blockFlags);

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

        Transpose(ref h0, ref h1, ref h2, ref h3);
        Transpose(ref h4, ref h5, ref h6, ref h7);
        h0.CopyTo(output);
        h4.CopyTo(output[4..]);
        h1.CopyTo(output[CvWords..]);
        h5.CopyTo(output[(CvWords + 4)..]);
        h2.CopyTo(output[(2 * CvWords)..]);
        h6.CopyTo(output[((2 * CvWords) + 4)..]);
        h3.CopyTo(output[(3 * CvWords)..]);
        h7.CopyTo(output[((3 * CvWords) + 4)..]);
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

    /// <summary>Turns 4 rows of 4 words into 4 columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose(ref V a, ref V b, ref V c, ref V d)
    {
        Vector128<ulong> ab = ZipLow(a, b).AsUInt64();
        Vector128<ulong> abHigh = ZipHigh(a, b).AsUInt64();
        Vector128<ulong> cd = ZipLow(c, d).AsUInt64();
        Vector128<ulong> cdHigh = ZipHigh(c, d).AsUInt64();
        a = Low64(ab, cd).AsUInt32();
        b = High64(ab, cd).AsUInt32();
        c = Low64(abHigh, cdHigh).AsUInt32();
        d = High64(abHigh, cdHigh).AsUInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V ZipLow(V a, V b) =>
        Sse2.IsSupported ? Sse2.UnpackLow(a, b)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(a, b)
        : Vector128.Create(a[0], b[0], a[1], b[1]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V ZipHigh(V a, V b) =>
        Sse2.IsSupported ? Sse2.UnpackHigh(a, b)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(a, b)
        : Vector128.Create(a[2], b[2], a[3], b[3]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Low64(Vector128<ulong> a, Vector128<ulong> b) =>
        Sse2.IsSupported ? Sse2.UnpackLow(a, b) : Vector128.Create(a.GetLower(), b.GetLower());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> High64(Vector128<ulong> a, Vector128<ulong> b) =>
        Sse2.IsSupported ? Sse2.UnpackHigh(a, b) : Vector128.Create(a.GetUpper(), b.GetUpper());

    // One instruction with AVX-512VL; otherwise a byte shuffle where the distance is whole bytes.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Rotate16(V x) =>
        Avx512F.VL.IsSupported ? Avx512F.VL.RotateRight(x, 16) : Vector128.Shuffle(
            x.AsByte(),
            Vector128.Create((byte)2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)).AsUInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Rotate12(V x) =>
        Avx512F.VL.IsSupported ? Avx512F.VL.RotateRight(x, 12) : (x >>> 12) | (x << 20);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Rotate8(V x) =>
        Avx512F.VL.IsSupported ? Avx512F.VL.RotateRight(x, 8) : Vector128.Shuffle(
            x.AsByte(),
            Vector128.Create((byte)1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12)).AsUInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Rotate7(V x) =>
        Avx512F.VL.IsSupported ? Avx512F.VL.RotateRight(x, 7) : (x >>> 7) | (x << 25);
}
