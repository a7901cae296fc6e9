using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace DiskSync.Codecs.Tests;

/// <summary>Input in pieces, and output from any position.</summary>
public sealed class Blake3HasherTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Pieces_of_any_length_give_the_hash_of_the_whole(int seed)
    {
        Random random = new(seed);
        byte[] data = new byte[random.Next(3 << 20)];
        random.NextBytes(data);
        foreach (int lanes in Blake3Lanes.Supported)
        {
            // From single bytes to more than a group of the tree at once.
            foreach (int longest in (int[])[100, 1024, 5000, 70_000, 1 << 20])
            {
                Blake3Hasher hasher = new(Blake3Constants.Iv, 0, lanes);
                int length = Math.Min(data.Length, longest * 200);
                for (int at = 0; at < length;)
                {
                    int piece = Math.Min(random.Next(longest + 1), length - at);
                    hasher.Update(data.AsSpan(at, piece));
                    at += piece;
                }

                Assert.Equal(Blake3.Hash(data.AsSpan(0, length)), hasher.Finalize());
            }
        }
    }

    [Fact]
    public void Pieces_of_one_power_of_two_give_the_hash_of_the_whole_at_every_step()
    {
        byte[] data = Blake3Vector.Input(1 << 20);
        foreach (int piece in (int[])[512, 1024, 2048, 4096, 16384, 65536, 262144, 524288])
        {
            Blake3Hasher hasher = new();
            for (int at = 0; at < Math.Min(data.Length, piece * 40); at += piece)
            {
                hasher.Update(data.AsSpan(at, piece));
                Assert.Equal(Blake3.Hash(data.AsSpan(0, at + piece)), hasher.Finalize());
            }
        }
    }

    [Property(MaxTest = 200)]
    public Property Any_split_gives_the_same_hash() => Prop.ForAll(
        Gen.Choose(0, 20_000).ListOf().Select(pieces => pieces.Take(12).ToArray()).ToArbitrary(),
        pieces =>
        {
            byte[] data = Blake3Vector.Input(pieces.Sum());
            Blake3Hasher hasher = new();
            int at = 0;
            foreach (int piece in pieces)
            {
                hasher.Update(data.AsSpan(at, piece));
                at += piece;
            }

            return hasher.Finalize() == Blake3.Hash(data) && Blake3Lanes.Hash(data, 1) == Blake3.Hash(data);
        });

    [Property(MaxTest = 200)]
    public Property A_flipped_bit_changes_the_hash() => Prop.ForAll(
        Gen.Choose(1, 40_000).SelectMany(length => Gen.Choose(0, (length * 8) - 1).Select(bit => (length, bit)))
            .ToArbitrary(),
        input =>
        {
            byte[] data = Blake3Vector.Input(input.length);
            Hash256 before = Blake3.Hash(data);
            data[input.bit / 8] ^= (byte)(1 << (input.bit % 8));
            return Blake3.Hash(data) != before;
        });

    [Fact]
    public void A_long_output_can_be_had_in_parts()
    {
        byte[] data = Blake3Vector.Input(3000);
        byte[] whole = new byte[5000];
        Blake3.Hash(data, whole);
        Blake3Hasher hasher = new();
        hasher.Update(data);
        foreach (int seek in (int[])[0, 1, 31, 32, 63, 64, 65, 128, 1000, 4095, 4999, 5000])
        {
            foreach (int length in (int[])[0, 1, 32, 63, 64, 65, 500, 5000])
            {
                byte[] part = new byte[Math.Min(length, whole.Length - seek)];
                hasher.Finalize(part, (ulong)seek);
                Assert.Equal(whole[seek..(seek + part.Length)], part);
            }
        }
    }

    [Fact]
    public void An_output_position_beyond_4_GiB_is_not_that_position_modulo_4_GiB()
    {
        Blake3Hasher hasher = new();
        byte[] low = new byte[64];
        byte[] high = new byte[64];
        hasher.Finalize(low, 0);
        hasher.Finalize(high, 1UL << 38);
        Assert.NotEqual(low, high);
        byte[] overlap = new byte[128];
        hasher.Finalize(overlap, (1UL << 38) - 64);
        Assert.Equal(high, overlap[64..]);
    }

    [Fact]
    public void The_modes_and_keys_have_nothing_in_common()
    {
        byte[] key = Blake3Vector.Key.ToArray();
        byte[] data = Blake3Vector.Input(5000);
        byte[] derived = new byte[32];
        byte[] derivedElsewhere = new byte[32];
        Blake3.DeriveKey("a", data, derived);
        Blake3.DeriveKey("b", data, derivedElsewhere);
        byte[] other = (byte[])key.Clone();
        other[31] ^= 0x80;
        Hash256[] hashes =
        [
            Blake3.Hash(data), Blake3.KeyedHash(key, data), Blake3.KeyedHash(other, data),
            new Hash256(derived), new Hash256(derivedElsewhere),
        ];
        Assert.Equal(hashes.Length, hashes.Distinct().Count());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(33)]
    public void A_key_of_another_length_is_refused(int length)
    {
        Assert.Throws<ArgumentException>(() => Blake3.KeyedHash(new byte[length], []));
        Assert.Throws<ArgumentException>(() => Blake3Hasher.NewKeyed(new byte[length]));
    }

    [Fact]
    public void An_update_allocates_nothing()
    {
        Blake3Hasher hasher = new();
        byte[] data = new byte[100_000];
        long allocated = 0;
        for (int round = 0; round < 2; round++)
        {
            // The first round compiles and initialises what it calls.
            long before = GC.GetAllocatedBytesForCurrentThread();
            hasher.Update(data);
            hasher.Update(data.AsSpan(0, 77));
            hasher.Finalize();
            Blake3.Hash(data);
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Assert.Equal(0, allocated);
    }
}
