using System.Buffers.Binary;
using System.Diagnostics;
using DiskSync.TestSupport;
using DiskSync.TestSupport.Fuzz;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace DiskSync.Codecs.Tests;

/// <summary>zstd frames, judged by Debian's own zstd.</summary>
public sealed class ZstdTests : IDisposable
{
    private readonly ZstdCompressor _compressor = new();
    private readonly ZstdDecompressor _decompressor = new();

    public void Dispose()
    {
        _compressor.Dispose();
        _decompressor.Dispose();
    }

    [Fact]
    public void The_systems_library_is_there_and_new_enough()
    {
        Assert.True(Zstd.IsAvailable);
        Assert.True(Zstd.Version >= new Version(1, 4, 0));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4096)]
    [InlineData(65537)]
    [InlineData(1 << 20)]
    public void What_was_compressed_comes_back_at_every_level(int length)
    {
        foreach (byte[] source in SampleContents.Of(length))
        {
            foreach (int level in (int[])[Zstd.MinLevel, -1, 1, 3, 6, 18, Zstd.MaxLevel])
            {
                byte[] packed = Pack(source, level);
                byte[] back = new byte[length];
                Assert.True(_decompressor.TryDecompress(packed, back));
                Assert.Equal(source, back);
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(65536)]
    [InlineData(1 << 20)]
    public void The_zstd_command_reads_our_frames_and_we_read_its(int length)
    {
        using TempFolder folder = new();
        foreach (byte[] source in SampleContents.Of(length))
        {
            File.WriteAllBytes(folder.File("ours.zst"), Pack(source, 3));
            Tool.Run("zstd", "zstd", "-d", "-q", "-f", folder.File("ours.zst"), "-o", folder.File("back"));
            Assert.Equal(source, File.ReadAllBytes(folder.File("back")));

            File.WriteAllBytes(folder.File("plain"), source);
            foreach (string check in (string[])["--check", "--no-check"])
            {
                Tool.Run("zstd", "zstd", "-7", "-q", "-f", check, folder.File("plain"), "-o", folder.File("theirs.zst"));
                byte[] back = new byte[length];
                Assert.True(_decompressor.TryDecompress(File.ReadAllBytes(folder.File("theirs.zst")), back));
                Assert.Equal(source, back);
            }
        }
    }

    [Property(MaxTest = 200)]
    public Property Any_bytes_come_back() => Prop.ForAll(
        Gen.Choose(0, 12).SelectMany(alphabet => Gen.Choose(0, alphabet).Select(b => (byte)b).ArrayOf()).ToArbitrary(),
        bytes =>
        {
            byte[] packed = Pack(bytes, 1);
            byte[] back = new byte[bytes.Length];
            return bytes.Length == 0
                ? packed.Length == 0
                : _decompressor.TryDecompress(packed, back) && back.AsSpan().SequenceEqual(bytes);
        });

    [Fact]
    public void A_result_that_does_not_fit_is_zero_bytes_and_nothing_is_written_beyond_the_room()
    {
        byte[] source = SampleContents.Of(65536)[2];
        int size = Pack(source, 3).Length;
        GuardedMemory memory = new(Zstd.MaxCompressedLength(source.Length));
        for (int room = 0; room < size; room += room < size - 40 ? 97 : 1)
        {
            Assert.Equal(0, _compressor.Compress(source, memory.Last(room), 3));
        }

        // The library wants a little more room than the frame has in the end.
        Assert.Equal(size, _compressor.Compress(source, memory.Last(size + 64), 3));
        Assert.Equal(0, _compressor.Compress(SampleContents.Of(4096)[1], new byte[4000], 3));
    }

    [Fact]
    public void Levels_that_are_none_are_refused()
    {
        foreach (int level in (int[])[0, Zstd.MinLevel - 1, Zstd.MaxLevel + 1])
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => _compressor.Compress(new byte[10], new byte[100], level));
        }
    }

    [Fact]
    public void A_frame_cut_off_at_any_byte_is_refused()
    {
        byte[] source = SampleContents.Of(5000)[2];
        byte[] packed = Pack(source, 3);
        GuardedMemory from = new(packed.Length);
        GuardedMemory to = new(source.Length);
        for (int length = 0; length < packed.Length; length++)
        {
            Span<byte> cut = from.Last(length);
            packed.AsSpan(0, length).CopyTo(cut);
            Assert.False(_decompressor.TryDecompress(cut, to.Last(source.Length)));
        }
    }

    [Fact]
    public void A_frame_of_another_length_than_expected_is_refused()
    {
        byte[] source = SampleContents.Of(5000)[2];
        byte[] packed = Pack(source, 3);
        GuardedMemory to = new(8192);
        for (int length = 0; length < 6000; length++)
        {
            Assert.Equal(length == source.Length, _decompressor.TryDecompress(packed, to.Last(length)));
        }
    }

    [Fact]
    public void What_is_not_exactly_one_frame_is_refused()
    {
        byte[] source = SampleContents.Of(5000)[2];
        byte[] packed = Pack(source, 3);
        byte[] back = new byte[source.Length];
        Assert.True(_decompressor.TryDecompress(packed, back));
        Assert.False(_decompressor.TryDecompress([.. packed, 0], back));
        Assert.False(_decompressor.TryDecompress([.. packed, .. packed], back));
        Assert.False(_decompressor.TryDecompress([.. packed, .. packed], new byte[2 * source.Length]));

        // A skippable frame (RFC 8878, section 3.1.2) before it, and formats that only old libraries wrote.
        byte[] skippable = [0x50, 0x2A, 0x4D, 0x18, 4, 0, 0, 0, 1, 2, 3, 4];
        Assert.False(_decompressor.TryDecompress([.. skippable, .. packed], back));
        for (byte version = 0x22; version < 0x28; version++)
        {
            Assert.False(_decompressor.TryDecompress([version, .. packed[1..]], back));
        }
    }

    [Fact]
    public void A_frame_that_declares_a_huge_window_or_content_takes_no_memory()
    {
        // Magic, descriptor with an 8-byte content size and a window byte of 2^41 bytes (RFC 8878, section 3.1.1.1),
        // one block of run-length 1.
        byte[] frame = [0x28, 0xB5, 0x2F, 0xFD, 0xC0, 0xF8, .. new byte[8], 0x0B, 0, 0, 7];
        foreach (ulong length in (ulong[])[1, 1UL << 40])
        {
            BinaryPrimitives.WriteUInt64LittleEndian(frame.AsSpan(6), length);
            long before = Process.GetCurrentProcess().PrivateMemorySize64;
            _decompressor.TryDecompress(frame, new byte[1]);
            using Process now = Process.GetCurrentProcess();
            Assert.InRange(now.PrivateMemorySize64 - before, long.MinValue, 64 << 20);
        }
    }

    [Fact]
    public void A_frame_with_any_bit_flipped_is_refused_or_decoded_within_bounds()
    {
        byte[] packed = Pack(SampleContents.Of(3000)[2], 3);
        byte[] input = [.. BitConverter.GetBytes(3000), .. packed];
        for (int bit = 32; bit < input.Length * 8; bit++)
        {
            input[bit / 8] ^= (byte)(1 << (bit % 8));
            FuzzZstd.Run(input);
            input[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void A_context_that_has_refused_a_frame_still_reads_the_next()
    {
        byte[] source = SampleContents.Of(5000)[2];
        byte[] packed = Pack(source, 3);
        byte[] back = new byte[source.Length];
        for (int i = 5; i < packed.Length; i += 7)
        {
            byte[] damaged = (byte[])packed.Clone();
            damaged[i] ^= 0x55;
            _decompressor.TryDecompress(damaged, back);
            Assert.True(_decompressor.TryDecompress(packed, back));
            Assert.Equal(source, back);
        }
    }

    private byte[] Pack(byte[] source, int level)
    {
        byte[] packed = new byte[Zstd.MaxCompressedLength(source.Length)];
        return packed[.._compressor.Compress(source, packed, level)];
    }
}
