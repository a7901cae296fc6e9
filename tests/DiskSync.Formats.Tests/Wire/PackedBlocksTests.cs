using System.Buffers;
using System.Buffers.Binary;
using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire;
using DiskSync.TestSupport.Fuzz;
using FsCheck.Xunit;

namespace DiskSync.Formats.Tests.Wire;

/// <summary>Batches whose payload is one zstd frame.</summary>
public sealed class PackedBlocksTests : IDisposable
{
    private const int FlagsAt = 22;
    private const int TableEnd = 24 + (4 * 56);
    private readonly BlocksUnpacker _unpacker = new();
    private readonly ZstdCompressor _compressor = new();

    public void Dispose()
    {
        _unpacker.Dispose();
        _compressor.Dispose();
    }

    [Fact]
    public void A_packed_batch_is_smaller_and_says_the_same()
    {
        byte[] packed = WireSamples.PackedBody();
        ReadOnlySpan<byte> plain = _unpacker.Unpack(packed);
        Assert.True(packed.Length < plain.Length / 4);
        var reader = new BlocksReader(plain, WireSamples.Geometry);
        Assert.Equal((9ul, 43ul, 3u, 4), (reader.Fence, reader.Batch, reader.Round, reader.EntryCount));
        var seen = new List<(BlockKind, long, string)>();
        foreach (BlockEntry entry in reader)
        {
            seen.Add((entry.Kind, entry.Block, Convert.ToHexString(entry.Payload)));
        }

        Assert.Equal(
            [
                (BlockKind.ZeroRun, 0L, string.Empty),
                (BlockKind.Raw, 6, Convert.ToHexString(WireSamples.Block(16384, 0))),
                (BlockKind.Raw, 7, Convert.ToHexString(WireSamples.Block(16384, 3))),
                (BlockKind.Patch, 40, Convert.ToHexString(WireSamples.Patch(5000, 0b10, compress: false))),
            ],
            seen);
    }

    [Fact]
    public void A_batch_that_is_not_packed_goes_through_as_it_is()
    {
        byte[] body = WireSamples.BlocksBody(small: true);
        Assert.True(_unpacker.Unpack(body) == body);
        Assert.True(_unpacker.Unpack([]) == ReadOnlySpan<byte>.Empty);
    }

    [Property(MaxTest = 100)]
    public void Every_packed_batch_comes_back_as_it_was(int seed)
    {
        var random = new Random(seed);
        var geometry = new BlockGeometry(random.NextInt64(1, 1 << 22), 4096 << random.Next(3));
        var blocks = new List<(long Block, byte[] Content)>();
        using var batch = new BlocksWriter(200, 1 << 20);
        batch.Begin(1, 2, 3);
        for (long block = 0; block < geometry.BlockCount && blocks.Count < 100; block += random.Next(1, 4))
        {
            byte[] content = new byte[geometry.LengthOf(block)];
            random.NextBytes(content.AsSpan(0, random.Next(content.Length + 1) / 2));
            if (!batch.TryAdd(BlockKind.Raw, block, WireSamples.HashOf(7), content))
            {
                break;
            }

            blocks.Add((block, content));
        }

        int payload = batch.PayloadLength;
        bool packed = batch.TryPack(_compressor, 1, payload);
        Assert.Equal(packed, batch.SentPayloadLength < payload);
        ReadOnlyMemory<byte> frame = new FrameWriter().FinishBlocks(0, batch);
        var buffer = new ReadOnlySequence<byte>(frame);
        Assert.True(new FrameReader().TryRead(ref buffer, out Frame read));
        int next = 0;
        foreach (BlockEntry entry in new BlocksReader(_unpacker.Unpack(read.Body.ToArray()), geometry))
        {
            Assert.Equal(blocks[next].Block, entry.Block);
            Assert.Equal(blocks[next++].Content, entry.Payload.ToArray());
        }

        Assert.Equal(blocks.Count, next);
    }

    [Fact]
    public void A_packed_batch_takes_nothing_more_and_one_that_does_not_shrink_stays()
    {
        using var batch = new BlocksWriter(10, 100_000);
        byte[] noise = new byte[16384];
        new Random(1).NextBytes(noise);
        batch.Begin(1, 2, 3);
        batch.TryAdd(BlockKind.Raw, 1, WireSamples.HashOf(1), noise);
        Assert.False(batch.TryPack(_compressor, 3, batch.PayloadLength));
        Assert.Equal(16384, batch.SentPayloadLength);
        Assert.True(batch.TryAdd(BlockKind.Raw, 2, WireSamples.HashOf(1), new byte[16384]));
        Assert.True(batch.TryPack(_compressor, 3, batch.PayloadLength));
        Assert.Throws<InvalidOperationException>(() => batch.TryAddZeroRun(3, 1));
        Assert.Throws<InvalidOperationException>(() => batch.TryAdd(BlockKind.Raw, 4, WireSamples.HashOf(1), [1]));
        Assert.Throws<InvalidOperationException>(() => batch.TryPack(_compressor, 3, 100));
        Assert.Throws<InvalidOperationException>(() => batch.Payload.Length);

        batch.Begin(1, 3, 3);
        Assert.True(batch.TryAdd(BlockKind.Raw, 4, WireSamples.HashOf(1), new byte[5000]));
        Assert.Equal(5000, batch.SentPayloadLength);
    }

    [Fact]
    public void A_reader_that_was_not_given_the_unpacked_batch_refuses_it()
    {
        byte[] body = WireSamples.PackedBody();
        Assert.Throws<FormatViolationException>(() => { _ = new BlocksReader(body, WireSamples.Geometry); });
    }

    [Fact]
    public void A_packed_batch_cut_off_at_any_byte_is_refused()
    {
        byte[] body = WireSamples.PackedBody();
        for (int length = 0; length < body.Length; length++)
        {
            byte[] cut = body[..length];
            Assert.Throws<FormatViolationException>(() => { _ = new BlocksReader(_unpacker.Unpack(cut), WireSamples.Geometry); });
        }

        Assert.Throws<FormatViolationException>(() => { _unpacker.Unpack([.. body, 0]); });
    }

    [Fact]
    public void A_packed_batch_with_any_bit_flipped_is_refused_or_stays_within_its_bounds()
    {
        byte[] body = WireSamples.PackedBody();
        for (int bit = 0; bit < body.Length * 8; bit++)
        {
            body[bit / 8] ^= (byte)(1 << (bit % 8));
            FuzzBlocks.Run(body);
            body[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Theory]
    [InlineData(0x0002)]
    [InlineData(0x0003)]
    [InlineData(0x8001)]
    public void Flags_that_nobody_knows_are_refused(ushort flags)
    {
        byte[] body = WireSamples.PackedBody();
        BinaryPrimitives.WriteUInt16LittleEndian(body.AsSpan(FlagsAt), flags);
        Assert.Throws<FormatViolationException>(() => { _unpacker.Unpack(body); });
    }

    [Fact]
    public void Payload_lengths_that_the_frame_does_not_have_are_refused_without_room_made_for_them()
    {
        foreach (uint length in (uint[])[0, 16383, 16385, WireLimits.MaxPayload, uint.MaxValue])
        {
            byte[] body = WireSamples.PackedBody();
            BinaryPrimitives.WriteUInt32LittleEndian(body.AsSpan(24 + 56 + 48), length);
            using BlocksUnpacker fresh = new();
            Assert.InRange(
                Allocation.Of(() => Assert.Throws<FormatViolationException>(() => { fresh.Unpack(body); })), 0, 64 << 10);
        }
    }

    [Fact]
    public void A_batch_without_payload_is_not_packed()
    {
        using var batch = new BlocksWriter(10, 1000);
        batch.Begin(1, 2, 3);
        batch.TryAddZeroRun(0, 5);
        Assert.False(batch.TryPack(_compressor, 3, 1000));
        byte[] body = new FrameWriter().FinishBlocks(0, batch)[FrameHeader.Size..].ToArray();
        body[FlagsAt] = 1;
        Assert.Throws<FormatViolationException>(() => { _unpacker.Unpack(body); });
        Assert.Equal(TableEnd - (3 * 56), body.Length);
    }
}
