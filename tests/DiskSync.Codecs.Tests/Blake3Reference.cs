using System.Buffers.Binary;
using System.Numerics;

namespace DiskSync.Codecs.Tests;

/// <summary>
/// BLAKE3 as slow and as close to the paper's text as can be, sharing nothing with the product: recursion over the
/// tree of section 2.1, and a word list where the paper has a table.
/// </summary>
internal static class Blake3Reference
{
    private static readonly uint[] Iv =
    [
        0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19,
    ];

    private static readonly int[] Permutation = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];

    /// <summary>The hash of an input.</summary>
    public static Hash256 Hash(ReadOnlySpan<byte> data) => ToHash(Subtree(data, 0, root: true));

    /// <summary>The chaining value of a part of an input, without the root flag.</summary>
    /// <param name="part">A whole subtree.</param>
    /// <param name="chunk">The number of its first chunk in the input.</param>
    public static Hash256 ChainingValue(ReadOnlySpan<byte> part, ulong chunk) =>
        ToHash(Subtree(part, chunk, root: false));

    private static uint[] Subtree(ReadOnlySpan<byte> data, ulong chunk, bool root)
    {
        if (data.Length <= 1024)
        {
            return Chunk(data, chunk, root);
        }

        // "The left subtree is the largest complete one that leaves at least one byte for the right."
        int left = 1024;
        while (left * 2 < data.Length)
        {
            left *= 2;
        }

        uint[] words = [.. Subtree(data[..left], chunk, root: false),
            .. Subtree(data[left..], chunk + ((ulong)left / 1024), root: false)];
        return Compress(Iv, words, 0, 64, 4 | (root ? 8U : 0));
    }

    private static uint[] Chunk(ReadOnlySpan<byte> data, ulong chunk, bool root)
    {
        uint[] cv = Iv;
        int blocks = Math.Max(1, (data.Length + 63) / 64);
        for (int i = 0; i < blocks; i++)
        {
            ReadOnlySpan<byte> block = data[(64 * i)..Math.Min(data.Length, 64 * (i + 1))];
            byte[] padded = new byte[64];
            block.CopyTo(padded);
            uint[] words = new uint[16];
            for (int j = 0; j < 16; j++)
            {
                words[j] = BinaryPrimitives.ReadUInt32LittleEndian(padded.AsSpan(4 * j));
            }

            bool last = i == blocks - 1;
            uint flags = (i == 0 ? 1U : 0) | (last ? 2U : 0) | (last && root ? 8U : 0);
            cv = Compress(cv, words, chunk, (uint)block.Length, flags);
        }

        return cv;
    }

    private static uint[] Compress(uint[] cv, uint[] words, ulong counter, uint length, uint flags)
    {
        uint[] v = [.. cv, .. Iv[..4], (uint)counter, (uint)(counter >> 32), length, flags];
        for (int round = 0; round < 7; round++)
        {
            for (int i = 0; i < 4; i++)
            {
                Quarter(v, i, 4 + i, 8 + i, 12 + i, words[2 * i], words[(2 * i) + 1]);
            }

            for (int i = 0; i < 4; i++)
            {
                int b = 4 + ((i + 1) % 4);
                int c = 8 + ((i + 2) % 4);
                int d = 12 + ((i + 3) % 4);
                Quarter(v, i, b, c, d, words[8 + (2 * i)], words[9 + (2 * i)]);
            }

            words = [.. Permutation.Select(p => words[p])];
        }

        return [.. Enumerable.Range(0, 8).Select(i => v[i] ^ v[i + 8])];
    }

    private static void Quarter(uint[] v, int a, int b, int c, int d, uint x, uint y)
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

    private static Hash256 ToHash(uint[] cv)
    {
        byte[] bytes = new byte[Hash256.Size];
        Buffer.BlockCopy(cv, 0, bytes, 0, bytes.Length);
        return new Hash256(bytes);
    }
}
