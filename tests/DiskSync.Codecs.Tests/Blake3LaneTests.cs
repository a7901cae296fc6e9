namespace DiskSync.Codecs.Tests;

/// <summary>Every kernel against plain arithmetic.</summary>
public sealed class Blake3LaneTests
{
    public static TheoryData<int> Lanes { get; } = [.. Blake3Lanes.Supported];

    [Theory]
    [MemberData(nameof(Lanes))]
    public void A_kernel_agrees_with_the_slow_reference_at_every_edge(int lanes)
    {
        byte[] input = Blake3Vector.Input(Blake3Lanes.Lengths.Max());
        foreach (int length in Blake3Lanes.Lengths.Where(l => l <= 131072))
        {
            ReadOnlySpan<byte> data = input.AsSpan(0, length);
            Assert.Equal(Blake3Reference.Hash(data), Blake3Lanes.Hash(data, lanes));
        }
    }

    [Theory]
    [MemberData(nameof(Lanes))]
    public void A_kernel_agrees_with_plain_arithmetic_on_random_data(int lanes)
    {
        Random random = new(lanes);
        byte[] data = new byte[3 << 20];
        random.NextBytes(data);
        for (int i = 0; i < 60; i++)
        {
            // An odd start, so that no alignment is taken for granted.
            ReadOnlySpan<byte> part = data.AsSpan(random.Next(64), random.Next(i < 50 ? 70000 : 2 << 20));
            Assert.Equal(Blake3Lanes.Hash(part, 1), Blake3Lanes.Hash(part, lanes));
        }

        Assert.Equal(Blake3Lanes.Digest(1), Blake3Lanes.Digest(lanes));
    }

    [Theory]
    [MemberData(nameof(Lanes))]
    public void Chunk_numbers_carry_into_the_upper_half(int lanes)
    {
        byte[] data = Blake3Vector.Input(48 * 1024);
        uint[] expected = new uint[48 * 8];
        uint[] actual = new uint[48 * 8];
        foreach (ulong first in new[] { 0xFFFFFFF0UL, 0xFFFFFFF9UL, 0xFFFFFFFFUL, 0x5FFFFFFFEUL, ulong.MaxValue - 100 })
        {
            Blake3Kernels.HashChunks(data, Blake3Constants.Iv, first, ulong.MaxValue, 0, expected, 1);
            Blake3Kernels.HashChunks(data, Blake3Constants.Iv, first, ulong.MaxValue, 0, actual, lanes);
            Assert.Equal(expected, actual);
        }
    }

    [Theory]
    [MemberData(nameof(Lanes))]
    public void Parents_are_made_in_place_and_the_odd_value_after_them_stays(int lanes)
    {
        Random random = new(7);
        for (int pairs = 1; pairs <= 40; pairs++)
        {
            // Once with room behind the values, once with none: then no wider kernel may be used.
            foreach (int room in new[] { 1024, (pairs * 2) + 1 })
            {
                uint[] values = new uint[room * 8];
                random.NextBytes(System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()));
                uint[] odd = values[(pairs * 16)..((pairs * 16) + 8)];
                uint[] expected = (uint[])values.Clone();
                Blake3Kernels.HashParents(expected, pairs, Blake3Constants.Iv, 0, 1);
                Blake3Kernels.HashParents(values, pairs, Blake3Constants.Iv, 0, lanes);
                Assert.Equal(expected[..(pairs * 8)], values[..(pairs * 8)]);
                Assert.Equal(odd, values[(pairs * 16)..((pairs * 16) + 8)]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Lanes))]
    public void Keyed_and_derived_hashes_do_not_depend_on_the_kernel(int lanes)
    {
        byte[] data = Blake3Vector.Input(300_000);
        uint[] key = [1, 2, 3, 4, 5, 6, 7, 0xFFFFFFFF];
        foreach (uint flags in new[] { Blake3Constants.KeyedHash, Blake3Constants.DeriveKeyMaterial })
        {
            Assert.Equal(
                Blake3Tree.Hash(data, key, flags, [], 1).RootHash(1),
                Blake3Tree.Hash(data, key, flags, [], lanes).RootHash(lanes));
            Blake3Hasher hasher = new(key, flags, lanes);
            hasher.Update(data);
            Assert.Equal(Blake3Tree.Hash(data, key, flags, [], 1).RootHash(1), hasher.Finalize());
        }
    }
}
