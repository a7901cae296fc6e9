using DiskSync.TestSupport.Fuzz;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace DiskSync.Codecs.Tests;

/// <summary>LZ4 blocks.</summary>
public sealed class Lz4Tests
{
    [Theory]
    [InlineData(1)]
    [InlineData(12)]
    [InlineData(13)]
    [InlineData(4096)]
    [InlineData(65536)]
    [InlineData(65537)]
    [InlineData(4194304)]
    public void What_was_compressed_comes_back(int length)
    {
        foreach (byte[] source in SampleContents.Of(length))
        {
            byte[] packed = new byte[Lz4.MaxCompressedLength(length)];
            int size = Lz4.Compress(source, packed);
            Assert.InRange(size, 1, packed.Length);

            byte[] back = new byte[length];
            Assert.True(Lz4.TryDecompress(packed.AsSpan(0, size), back));
            Assert.Equal(source, back);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4096)]
    [InlineData(65536)]
    [InlineData(1 << 20)]
    public void The_reference_library_reads_our_blocks_and_we_read_its(int length)
    {
        foreach (byte[] source in SampleContents.Of(length))
        {
            byte[] packed = new byte[Lz4.MaxCompressedLength(length)];
            byte[] back = new byte[length];
            int size = Lz4.Compress(source, packed);
            Assert.Equal(length, SystemLz4.Decompress(packed.AsSpan(0, size), back));
            Assert.Equal(source, back);

            back.AsSpan().Clear();
            size = SystemLz4.Compress(source, packed);
            Assert.True(Lz4.TryDecompress(packed.AsSpan(0, size), back));
            Assert.Equal(source, back);
        }
    }

    [Property(MaxTest = 300)]
    public Property Any_bytes_come_back() => Prop.ForAll(
        Gen.Choose(0, 12).SelectMany(alphabet => Gen.Choose(0, alphabet).Select(b => (byte)b).ArrayOf()).ToArbitrary(),
        bytes =>
        {
            byte[] packed = new byte[Lz4.MaxCompressedLength(bytes.Length)];
            int size = Lz4.Compress(bytes, packed);
            byte[] back = new byte[bytes.Length];
            return bytes.Length == 0
                ? size == 0
                : Lz4.TryDecompress(packed.AsSpan(0, size), back) && back.AsSpan().SequenceEqual(bytes);
        });

    [Fact]
    public void A_result_that_does_not_fit_is_zero_bytes_and_nothing_is_written_beyond_the_room()
    {
        byte[] source = SampleContents.Of(65536)[2];
        byte[] packed = new byte[Lz4.MaxCompressedLength(source.Length)];
        int size = Lz4.Compress(source, packed);
        GuardedMemory memory = new(packed.Length);
        for (int room = 0; room < size; room += room < size - 40 ? 97 : 1)
        {
            Assert.Equal(0, Lz4.Compress(source, memory.Last(room)));
        }

        Assert.Equal(size, Lz4.Compress(source, memory.Last(size)));
        Assert.Equal(0, Lz4.Compress(SampleContents.Of(4096)[1], new byte[4000]));
    }

    [Fact]
    public void Nothing_compresses_to_nothing_and_nothing_decompresses_to_something()
    {
        Assert.Equal(0, Lz4.Compress([], new byte[100]));
        Assert.Equal(0, Lz4.Compress(new byte[100], []));
        Assert.False(Lz4.TryDecompress([], new byte[10]));
        Assert.False(Lz4.TryDecompress([0], []));
        Assert.Throws<ArgumentOutOfRangeException>(() => Lz4.MaxCompressedLength(-1));
    }

    [Fact]
    public void A_block_cut_off_at_any_byte_is_refused()
    {
        byte[] source = SampleContents.Of(5000)[2];
        byte[] packed = Pack(source);
        GuardedMemory from = new(packed.Length);
        GuardedMemory to = new(source.Length);
        for (int length = 0; length < packed.Length; length++)
        {
            Span<byte> cut = from.Last(length);
            packed.AsSpan(0, length).CopyTo(cut);
            Assert.False(Lz4.TryDecompress(cut, to.Last(source.Length)));
        }
    }

    [Fact]
    public void A_block_of_another_length_than_expected_is_refused()
    {
        byte[] source = SampleContents.Of(5000)[2];
        byte[] packed = Pack(source);
        GuardedMemory to = new(8192);
        for (int length = 0; length < 6000; length++)
        {
            Assert.Equal(length == source.Length, Lz4.TryDecompress(packed, to.Last(length)));
        }
    }

    [Fact]
    public void A_block_with_any_bit_flipped_is_refused_or_decoded_within_bounds()
    {
        byte[] packed = Pack(SampleContents.Of(3000)[2]);
        byte[] input = [.. BitConverter.GetBytes(3000), .. packed];
        for (int bit = 32; bit < input.Length * 8; bit++)
        {
            input[bit / 8] ^= (byte)(1 << (bit % 8));
            FuzzLz4.Run(input);
            input[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void A_match_of_distance_zero_gives_nothing_of_what_the_buffer_held_before()
    {
        // Token: 4 literals and a match of 4 bytes, distance 0; then 8 literals as the end of every block.
        byte[] block = [0x40, 1, 2, 3, 4, 0, 0, 0x80, 5, 6, 7, 8, 9, 10, 11, 12];
        byte[] first = new byte[16];
        byte[] second = new byte[16];
        second.AsSpan().Fill(0xEE);
        Assert.Equal(Lz4.TryDecompress(block, first), Lz4.TryDecompress(block, second));
        Assert.Equal(first, second);
    }

    [Fact]
    public void Noise_never_throws_and_never_leaves_the_bounds()
    {
        Random random = new(8);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] input = new byte[4 + random.Next(300)];
            random.NextBytes(input);
            FuzzLz4.Run(input);
        }
    }

    private static byte[] Pack(byte[] source)
    {
        byte[] packed = new byte[Lz4.MaxCompressedLength(source.Length)];
        return packed[..Lz4.Compress(source, packed)];
    }
}
