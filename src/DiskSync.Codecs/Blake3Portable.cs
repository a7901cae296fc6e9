using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using static DiskSync.Codecs.Blake3Constants;

namespace DiskSync.Codecs;

/// <summary>
/// The compression function in plain 32-bit arithmetic (paper, section 2.2): runs anywhere, and is what every
/// vector path is tested against.
/// </summary>
internal static class Blake3Portable
{
    /// <summary>Compresses one block and replaces the chaining value by the new one.</summary>
    /// <param name="cv">8 words: the input chaining value, then the output.</param>
    /// <param name="block">64 bytes; the part beyond <paramref name="length"/> is zero.</param>
    /// <param name="length">Input bytes in the block, 0 to 64.</param>
    /// <param name="counter">Chunk number, 0 for a parent, output block number for extended output.</param>
    /// <param name="flags">Domain flags.</param>
    [SkipLocalsInit]
    public static void CompressInPlace(
        Span<uint> cv, ReadOnlySpan<byte> block, uint length, ulong counter, uint flags)
    {
        Span<uint> state = stackalloc uint[16];
        Rounds(state, cv, block, length, counter, flags);
        for (int i = 0; i < CvWords; i++)
        {
            cv[i] = state[i] ^ state[i + 8];
        }
    }

    /// <summary>Compresses one block to 64 bytes of extended output (paper, section 2.6).</summary>
    [SkipLocalsInit]
    public static void CompressExtended(
        ReadOnlySpan<uint> cv, ReadOnlySpan<byte> block, uint length, ulong counter, uint flags, Span<byte> output)
    {
        Span<uint> state = stackalloc uint[16];
        Rounds(state, cv, block, length, counter, flags);
        for (int i = 0; i < CvWords; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(output[(4 * i)..], state[i] ^ state[i + 8]);
            BinaryPrimitives.WriteUInt32LittleEndian(output[(32 + (4 * i))..], state[i + 8] ^ cv[i]);
        }
    }

    [SkipLocalsInit]
    private static void Rounds(
        Span<uint> v, ReadOnlySpan<uint> cv, ReadOnlySpan<byte> block, uint length, ulong counter, uint flags)
    {
        cv[..CvWords].CopyTo(v);
        v[8] = Iv0;
        v[9] = Iv1;
        v[10] = Iv2;
        v[11] = Iv3;
        v[12] = (uint)counter;
        v[13] = (uint)(counter >> 32);
        v[14] = length;
        v[15] = flags;

        Span<uint> m = stackalloc uint[16];
        Span<uint> next = stackalloc uint[16];
        for (int i = 0; i < 16; i++)
        {
            m[i] = BinaryPrimitives.ReadUInt32LittleEndian(block[(4 * i)..]);
        }

        // Seven rounds; between two of them the message words are permuted (paper, table 2).
        ReadOnlySpan<byte> permutation = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
        for (int round = 0; ; round++)
        {
            Mix(v, 0, 4, 8, 12, m[0], m[1]);
            Mix(v, 1, 5, 9, 13, m[2], m[3]);
            Mix(v, 2, 6, 10, 14, m[4], m[5]);
            Mix(v, 3, 7, 11, 15, m[6], m[7]);
            Mix(v, 0, 5, 10, 15, m[8], m[9]);
            Mix(v, 1, 6, 11, 12, m[10], m[11]);
            Mix(v, 2, 7, 8, 13, m[12], m[13]);
            Mix(v, 3, 4, 9, 14, m[14], m[15]);
            if (round == 6)
            {
                return;
            }

            for (int i = 0; i < 16; i++)
            {
                next[i] = m[permutation[i]];
            }

            Span<uint> swap = m;
            m = next;
            next = swap;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Mix(Span<uint> v, int a, int b, int c, int d, uint x, uint y)
    {
        v[a] += v[b] + x;
        v[d] = BitOperations.RotateRight(v[d] ^ v[a], 16);
        v[c] += v[d];
        v[b] = BitOperations.RotateRight(v[b] ^ v[c], 12);
        v[a] += v[b] + y;
        v[d] = BitOperations.RotateRight(v[d] ^ v[a], 8);
        v[c] += v[d];
        v[b] = BitOperations.RotateRight(v[b] ^ v[c], 7);
    }
}
