namespace DiskSync.Codecs.Tests;

/// <summary>The official test vectors: 35 lengths, three modes, 131 bytes of output each.</summary>
public sealed class Blake3VectorTests
{
    private const int OutputLength = 131;

    public static TheoryData<int> Indices { get; } = [.. Enumerable.Range(0, Blake3Vector.All.Count)];

    [Fact]
    public void There_are_35_vectors_of_131_bytes_up_to_102400_bytes()
    {
        Assert.Equal(35, Blake3Vector.All.Count);
        Assert.All(Blake3Vector.All, v => Assert.Equal(OutputLength, v.Hash.Length));
        Assert.Equal(102400, Blake3Vector.All.Max(v => v.Length));
    }

    [Theory]
    [MemberData(nameof(Indices))]
    public void The_one_shot_hash_gives_the_official_output(int index)
    {
        Blake3Vector vector = Blake3Vector.All[index];
        byte[] input = Blake3Vector.Input(vector.Length);
        byte[] output = new byte[OutputLength];

        Blake3.Hash(input, output);
        Assert.Equal(vector.Hash, output);
        Assert.Equal(new Hash256(vector.Hash), Blake3.Hash(input));
        Assert.Equal(new Hash256(vector.Hash), Blake3.HashBlock(input, []));
        Assert.Equal(new Hash256(vector.KeyedHash), Blake3.KeyedHash(Blake3Vector.Key, input));
        Blake3.DeriveKey(Blake3Vector.Context, input, output);
        Assert.Equal(vector.DeriveKey, output);
    }

    [Theory]
    [MemberData(nameof(Indices))]
    public void The_hasher_gives_the_official_output_in_all_modes(int index)
    {
        Blake3Vector vector = Blake3Vector.All[index];
        byte[] input = Blake3Vector.Input(vector.Length);
        Check(new Blake3Hasher(), vector.Hash);
        Check(Blake3Hasher.NewKeyed(Blake3Vector.Key), vector.KeyedHash);
        Check(Blake3Hasher.NewDeriveKey(Blake3Vector.Context), vector.DeriveKey);

        void Check(Blake3Hasher hasher, byte[] expected)
        {
            byte[] output = new byte[OutputLength];
            for (int round = 0; round < 2; round++)
            {
                hasher.Update(input);
                hasher.Finalize(output);
                Assert.Equal(expected, output);
                Assert.Equal(new Hash256(expected), hasher.Finalize());
                hasher.Reset();
            }
        }
    }
}
