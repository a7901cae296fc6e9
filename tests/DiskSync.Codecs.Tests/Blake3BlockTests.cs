using System.Buffers.Binary;

namespace DiskSync.Codecs.Tests;

/// <summary>Blocks and their sub-blocks.</summary>
public sealed class Blake3BlockTests
{
    public static TheoryData<int> Lanes { get; } = [.. Blake3Lanes.Supported];

    [Theory]
    [MemberData(nameof(Lanes))]
    public void A_block_has_the_plain_hash_and_the_prefixes_of_its_subtrees(int lanes)
    {
        Random random = new(3);
        foreach (int length in (int[])[1, 1000, 1024, 4095, 4096, 4097, 5000, 8192, 12288, 16384, 20480, 65535, 65536,
            70000, 131072, 262144, 300001])
        {
            byte[] block = new byte[length];
            random.NextBytes(block);
            ulong[] prefixes = new ulong[Parts(length) + 1];
            prefixes[^1] = 42;

            Assert.Equal(Blake3Reference.Hash(block), Blake3.HashBlock(block, prefixes, lanes));
            Assert.Equal(Expected(block), prefixes[..^1]);
            Assert.Equal(42UL, prefixes[^1]);
        }
    }

    [Fact]
    public void The_only_sub_block_of_a_block_gives_its_chaining_value_and_not_its_hash()
    {
        byte[] block = Blake3Vector.Input(4096);
        ulong[] prefix = new ulong[1];
        Hash256 hash = Blake3.HashBlock(block, prefix);
        Assert.Equal(Prefix(Blake3Reference.ChainingValue(block, 0)), prefix[0]);
        Assert.NotEqual(Prefix(hash), prefix[0]);
    }

    [Fact]
    public void Only_the_prefix_of_a_changed_sub_block_changes()
    {
        byte[] block = Blake3Vector.Input(65536);
        ulong[] before = new ulong[16];
        ulong[] after = new ulong[16];
        Blake3.HashBlock(block, before);
        block[(5 * 4096) + 17] ^= 1;
        Blake3.HashBlock(block, after);
        Assert.Equal([5], Enumerable.Range(0, 16).Where(i => before[i] != after[i]));
    }

    [Fact]
    public void The_longest_block_is_4_MiB()
    {
        byte[] block = Blake3Vector.Input(Blake3.MaxBlockLength + 1);
        ulong[] prefixes = new ulong[1024];
        Assert.Equal(Blake3.Hash(block.AsSpan(..^1)), Blake3.HashBlock(block.AsSpan(..^1), prefixes));
        Assert.Equal(Expected(block.AsSpan(0, 65536)), prefixes[..16]);
        Assert.Equal(Prefix(Blake3Reference.ChainingValue(block.AsSpan(1023 * 4096, 4096), 4 * 1023)), prefixes[1023]);
        Assert.Throws<ArgumentException>(() => Blake3.HashBlock(block, []));
        Assert.Throws<ArgumentException>(() => Blake3.HashBlock(block.AsSpan(0, 8193), new ulong[2]));
    }

    [Theory]
    [MemberData(nameof(Lanes))]
    public void Several_blocks_at_once_are_the_same_as_one_by_one(int lanes)
    {
        byte[] data = new byte[(1 << 20) + 12345];
        new Random(4).NextBytes(data);
        foreach (int blockLength in (int[])[512, 1024, 2048, 4096, 8192, 12288, 16384, 65536, 262144, 524288, 1 << 20,
            4 << 20])
        {
            foreach (int length in (int[])[0, 1, blockLength - 1, blockLength, 5 * blockLength, 600_000, data.Length])
            {
                ReadOnlySpan<byte> part = data.AsSpan(0, Math.Min(length, data.Length));
                bool wanted = blockLength % 4096 == 0;
                ulong[] expectedPrefixes = new ulong[wanted ? Parts(part.Length) : 0];
                Hash256[] expected = new Hash256[(part.Length + blockLength - 1) / blockLength];
                for (int i = 0; i < expected.Length; i++)
                {
                    int end = Math.Min(part.Length, (i + 1) * blockLength);
                    Span<ulong> room = wanted ? expectedPrefixes.AsSpan(i * (blockLength / 4096)) : default;
                    expected[i] = Blake3.HashBlock(part[(i * blockLength)..end], room, 1);
                }

                Hash256[] hashes = new Hash256[expected.Length + 1];
                ulong[] prefixes = new ulong[expectedPrefixes.Length];
                Blake3.HashBlocks(part, blockLength, hashes, prefixes, lanes);
                Assert.Equal(expected, hashes[..^1]);
                Assert.Equal(expectedPrefixes, prefixes);
                Assert.True(hashes[^1].IsUnknown);

                Blake3.HashBlocks(part, blockLength, hashes, [], lanes);
                Assert.Equal(expected, hashes[..^1]);
            }
        }
    }

    [Fact]
    public void Several_blocks_need_room_for_all_results()
    {
        byte[] data = new byte[65537];
        Assert.Throws<ArgumentException>(() => Blake3.HashBlocks(data, 65536, new Hash256[1], []));
        Assert.Throws<ArgumentException>(() => Blake3.HashBlocks(data, 65536, new Hash256[2], new ulong[16]));
        Assert.Throws<ArgumentException>(() => Blake3.HashBlocks(data, 6144, new Hash256[11], new ulong[17]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Blake3.HashBlocks(data, 0, new Hash256[11], []));
        Assert.Throws<ArgumentOutOfRangeException>(() => Blake3.HashBlocks(data, 8 << 20, new Hash256[11], []));
    }

    private static int Parts(int length) => (length + 4095) / 4096;

    private static ulong[] Expected(ReadOnlySpan<byte> block)
    {
        ulong[] prefixes = new ulong[Parts(block.Length)];
        for (int i = 0; i < prefixes.Length; i++)
        {
            ReadOnlySpan<byte> part = block[(i * 4096)..Math.Min(block.Length, (i + 1) * 4096)];
            prefixes[i] = Prefix(Blake3Reference.ChainingValue(part, (ulong)i * 4));
        }

        return prefixes;
    }

    private static ulong Prefix(Hash256 hash)
    {
        byte[] bytes = new byte[Hash256.Size];
        hash.CopyTo(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }
}
