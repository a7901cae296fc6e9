namespace DiskSync.Codecs.Tests;

/// <summary>The kernels that this processor can run.</summary>
internal static class Blake3Lanes
{
    /// <summary>Lengths around every edge of the tree and of the kernels.</summary>
    public static IReadOnlyList<int> Lengths { get; } =
    [
        0, 1, 63, 64, 65, 127, 128, 1023, 1024, 1025, 2047, 2048, 2049, 3072, 4095, 4096, 4097, 5120, 6144, 7168, 7169,
        8192, 8193, 9216, 12288, 15360, 16383, 16384, 16385, 17408, 31744, 32768, 33793, 49152, 65535, 65536, 65537,
        98304, 131072, 200000, 262144, 262145, 524287, 524288, 524289, 1048576, 1049600, 1310721, 2097153,
    ];

    /// <summary>16, 8, 4 and 1, as far as supported; 4 and 1 always are.</summary>
    public static IReadOnlyList<int> Supported { get; } =
        [.. new[] { 16, 8, 4, 1 }.Where(lanes => lanes <= Math.Max(Blake3Kernels.WidestLanes, 4))];

    /// <summary>Hashes with one kernel as the widest.</summary>
    public static Hash256 Hash(ReadOnlySpan<byte> data, int lanes) =>
        Blake3Tree.Hash(data, Blake3Constants.Iv, 0, [], lanes).RootHash(lanes);

    /// <summary>One hash over the hashes of all <see cref="Lengths"/>, with its sub-blocks, for one kernel.</summary>
    public static Hash256 Digest(int lanes)
    {
        byte[] input = Blake3Vector.Input(Lengths.Max());
        Blake3Hasher hasher = new(Blake3Constants.Iv, 0, lanes);
        byte[] bytes = new byte[Hash256.Size];
        ulong[] prefixes = new ulong[(input.Length / Blake3.SubBlockLength) + 1];
        foreach (int length in Lengths)
        {
            Blake3.HashBlock(input.AsSpan(0, length), prefixes, lanes).CopyTo(bytes);
            hasher.Update(bytes);
            hasher.Update(System.Runtime.InteropServices.MemoryMarshal.AsBytes(prefixes.AsSpan()));
        }

        return hasher.Finalize();
    }
}
