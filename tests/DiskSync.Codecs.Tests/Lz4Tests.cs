namespace DiskSync.Codecs.Tests;

/// <summary>LZ4 blocks.</summary>
public sealed class Lz4Tests
{
    [Theory]
    [InlineData(1)]
    [InlineData(13)]
    [InlineData(4096)]
    [InlineData(65536)]
    [InlineData(4194304)]
    public void What_was_compressed_comes_back(int length)
    {
        byte[] source = new byte[length];
        new Random(length).NextBytes(source.AsSpan(length / 2));
        byte[] packed = new byte[Lz4.MaxCompressedLength(length)];
        int size = Lz4.Compress(source, packed);
        Assert.InRange(size, 1, packed.Length);

        byte[] back = new byte[length];
        Assert.True(Lz4.TryDecompress(packed.AsSpan(0, size), back));
        Assert.Equal(source, back);
    }

    [Fact]
    public void A_result_that_does_not_fit_is_zero_bytes()
    {
        byte[] source = new byte[4096];
        new Random(1).NextBytes(source);
        Assert.Equal(0, Lz4.Compress(source, new byte[4000]));
    }
}
