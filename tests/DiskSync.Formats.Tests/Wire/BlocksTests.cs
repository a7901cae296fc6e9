using System.Buffers;
using System.Buffers.Binary;
using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire;
using DiskSync.TestSupport.Fuzz;
using FsCheck.Xunit;

namespace DiskSync.Formats.Tests.Wire;

public sealed class BlocksTests
{
    private const int Prefix = 24;
    private const int EntrySize = 56;

    [Fact]
    public void A_batch_has_the_bytes_of_its_golden_file_both_ways()
    {
        Golden.Check("wire-Blocks.bin", WireSamples.BlocksFrame(small: true));
        var buffer = new ReadOnlySequence<byte>(Golden.Read("wire-Blocks.bin"));
        Assert.True(new FrameReader().TryRead(ref buffer, out Frame frame));
        var reader = new BlocksReader(frame.Body.ToArray(), WireSamples.Geometry);
        Assert.Equal((9ul, 42ul, 3u, 5), (reader.Fence, reader.Batch, reader.Round, reader.EntryCount));
        var seen = new List<(BlockKind Kind, long Block, long Count, Hash256 Hash)>();
        foreach (BlockEntry entry in reader)
        {
            seen.Add((entry.Kind, entry.Block, entry.Count, entry.Hash));
        }

        Assert.Equal(
            [
                (BlockKind.ZeroRun, 0L, 5L, Hash256.Unknown),
                (BlockKind.Lz4, 6, 1, WireSamples.HashOf(2)),
                (BlockKind.Patch, 7, 1, WireSamples.HashOf(3)),
                (BlockKind.Copy, 8, 1, WireSamples.HashOf(4)),
                (BlockKind.Patch, 40, 1, WireSamples.HashOf(5)),
            ],
            seen);
    }

    [Property(MaxTest = 200)]
    public void Every_batch_comes_back_as_it_was(int seed)
    {
        var random = new Random(seed);
        var geometry = new BlockGeometry(random.NextInt64(1, 1 << 22), 4096 << random.Next(3));
        using var batch = new BlocksWriter(random.Next(1, 200), 1 << 20);
        var expected = new List<(BlockKind Kind, long Block, long Count, Hash256 Hash, byte[] Payload)>();
        batch.Begin((ulong)random.NextInt64(), (ulong)random.NextInt64(), (uint)random.Next());
        foreach (long block in Enumerable.Range(0, (int)geometry.BlockCount).OrderBy(_ => random.Next()))
        {
            (BlockKind kind, byte[] payload) = Payload(random, geometry, block);
            Hash256 hash = kind == BlockKind.ZeroRun ? default : WireSamples.HashOf((byte)random.Next(256));
            bool added = kind == BlockKind.ZeroRun ? batch.TryAddZeroRun(block, 1) : batch.TryAdd(kind, block, hash, payload);
            if (!added)
            {
                break;
            }

            if (expected.Count > 0 && kind == BlockKind.ZeroRun && expected[^1].Kind == kind && expected[^1].Block + expected[^1].Count == block)
            {
                expected[^1] = expected[^1] with { Count = expected[^1].Count + 1 };
                continue;
            }

            expected.Add((kind, block, 1, hash, payload));
        }

        ReadOnlyMemory<byte> bytes = new FrameWriter().FinishBlocks(0, batch);
        ReadOnlySequence<byte> buffer = Segments.Of(bytes, 1000);
        Assert.True(new FrameReader().TryRead(ref buffer, out Frame frame));
        int next = 0;
        foreach (BlockEntry entry in new BlocksReader(frame.Body.ToArray(), geometry))
        {
            (BlockKind kind, long block, long count, Hash256 hash, byte[] payload) = expected[next++];
            Assert.Equal((kind, block, count, hash), (entry.Kind, entry.Block, entry.Count, entry.Hash));
            Assert.Equal(payload, entry.Payload.ToArray());
        }

        Assert.Equal(expected.Count, next);
    }

    [Fact]
    public void A_batch_cut_off_at_any_byte_is_refused()
    {
        byte[] body = WireSamples.BlocksBody(small: true);
        for (int length = 0; length < body.Length; length++)
        {
            Refused(body[..length]);
        }

        Refused([.. body, 0]);
    }

    [Fact]
    public void Any_bit_flipped_in_header_or_table_of_a_batch_is_noticed_by_the_frame()
    {
        byte[] frame = WireSamples.BlocksFrame(small: true);
        for (int bit = 0; bit < (FrameHeader.Size + Prefix + (5 * EntrySize)) * 8; bit++)
        {
            frame[bit / 8] ^= (byte)(1 << (bit % 8));
            bool taken;
            try
            {
                var buffer = new ReadOnlySequence<byte>(frame);
                taken = new FrameReader().TryRead(ref buffer, out _);
            }
            catch (FormatViolationException)
            {
                taken = false;
            }

            Assert.False(taken, $"bit {bit}");
            frame[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Theory]
    [InlineData(0, 0, 0)] // kind
    [InlineData(0, 0, 6)]
    [InlineData(0, 1, 1)] // flags
    [InlineData(0, 2, 1)] // reserved
    [InlineData(0, 52, 1)]
    [InlineData(0, 4, 0)] // count
    [InlineData(0, 4, 200)]
    [InlineData(1, 4, 2)]
    [InlineData(0, 15, 0x80)] // block
    [InlineData(1, 8, 41)]
    [InlineData(1, 8, 4)] // in the zero run before it
    [InlineData(0, 16, 1)] // hash of a zero run
    [InlineData(0, 48, 1)] // payload length
    [InlineData(3, 48, 7)]
    [InlineData(4, 51, 0xFF)]
    public void An_entry_that_makes_no_sense_is_refused(int entry, int at, byte value)
    {
        byte[] body = WireSamples.BlocksBody(small: true);
        body[Prefix + (entry * EntrySize) + at] = value;
        Refused(body);
    }

    [Theory]
    [InlineData(8)] // itself
    [InlineData(40)] // the short block
    [InlineData(41)]
    [InlineData(-1)]
    public void A_copy_from_where_it_cannot_be_is_refused(long source)
    {
        using var batch = new BlocksWriter(1, 64);
        batch.Begin(1, 1, 1);
        Assert.True(batch.TryAddCopy(8, WireSamples.HashOf(1), source));
        Refused(new FrameWriter().FinishBlocks(0, batch)[FrameHeader.Size..].ToArray());
    }

    [Fact]
    public void A_count_far_above_what_follows_is_refused_without_room_made_for_it()
    {
        byte[] body = WireSamples.BlocksBody(small: true);
        foreach (uint count in (uint[])[0, 6, 2048, 2049, uint.MaxValue])
        {
            BinaryPrimitives.WriteUInt32LittleEndian(body.AsSpan(20), count);
            Assert.InRange(Allocation.Of(() => Refused(body)), 0, 16 << 10);
        }
    }

    [Fact]
    public void Building_and_reading_batches_allocates_nothing()
    {
        using var batch = new BlocksWriter();
        var writer = new FrameWriter();
        byte[] block = new byte[16384];
        long allocated = Allocation.Of(() =>
        {
            batch.Begin(1, 2, 3);
            for (int i = 0; i < 30; i++)
            {
                block.CopyTo(batch.ReservePayload(16384));
                batch.CommitPayload(BlockKind.Raw, i, WireSamples.HashOf(1), 16384);
            }

            ReadOnlyMemory<byte> frame = writer.FinishBlocks(0, batch);
            long sum = 0;
            foreach (BlockEntry entry in new BlocksReader(frame.Span[FrameHeader.Size..], WireSamples.Geometry))
            {
                sum += entry.Payload.Length;
            }

            Assert.Equal(30 * 16384, sum);
        });
        Assert.InRange(allocated, 0, 512);
    }

    [Fact]
    public void A_full_batch_takes_no_more_and_a_dropped_reservation_costs_nothing()
    {
        using var batch = new BlocksWriter(2, 10000);
        Assert.Throws<InvalidOperationException>(() => batch.TryAddZeroRun(0, 1));
        batch.Begin(1, 1, 1);
        batch.ReservePayload(9000);
        Assert.True(batch.TryAdd(BlockKind.Raw, 1, WireSamples.HashOf(1), new byte[6000]));
        Assert.False(batch.TryAdd(BlockKind.Raw, 2, WireSamples.HashOf(1), new byte[6000]));
        Assert.True(batch.TryAddZeroRun(3, 1));
        Assert.True(batch.TryAddZeroRun(4, 1));
        Assert.False(batch.TryAddZeroRun(6, 1));
        Assert.Equal((2, 6000), (batch.EntryCount, batch.PayloadLength));
        Assert.Throws<ArgumentOutOfRangeException>(() => batch.CommitPayload(BlockKind.Raw, 1, WireSamples.HashOf(1), 1));
    }

    [Fact]
    public void A_frame_is_the_same_contiguous_or_through_a_pipe()
    {
        using var batch = new BlocksWriter();
        batch.Begin(1, 2, 3);
        batch.TryAdd(BlockKind.Raw, 1, WireSamples.HashOf(1), new byte[16384]);
        byte[] whole = new FrameWriter().FinishBlocks(2, batch).ToArray();
        batch.Begin(1, 2, 3);
        batch.TryAdd(BlockKind.Raw, 1, WireSamples.HashOf(1), new byte[16384]);
        var output = new ArrayBufferWriter<byte>();
        new FrameWriter().WriteBlocks(output, 2, batch);
        Assert.Equal(whole, output.WrittenSpan.ToArray());
    }

    [Fact]
    public void A_batch_is_framed_again_under_another_number()
    {
        using var batch = new BlocksWriter(3, 65536);
        batch.Begin(1, 2, 3);
        for (int i = 0; i < 3; i++)
        {
            batch.TryAdd(BlockKind.Raw, i, WireSamples.HashOf((byte)(i + 1)), new byte[16384]);
        }

        byte[] first = new FrameWriter().FinishBlocks(2, batch).ToArray();
        batch.Renumber(77);
        byte[] second = new FrameWriter().FinishBlocks(2, batch).ToArray();
        Assert.Equal(77UL, new BlocksReader(second.AsSpan(FrameHeader.Size), new BlockGeometry(49152, 16384)).Batch);
        Assert.Equal(first[(FrameHeader.Size + 16)..], second[(FrameHeader.Size + 16)..]);
    }

    [Fact]
    public void A_seed_has_a_hash_and_no_payload()
    {
        using var batch = new BlocksWriter();
        batch.Begin(1, 2, 3);
        Assert.True(batch.TryAddSeed(2, WireSamples.HashOf(9)));
        Assert.False(batch.TryAddSeed(3, Hash256.Unknown));
        byte[] body = new FrameWriter().FinishBlocks(0, batch)[FrameHeader.Size..].ToArray();
        BlocksReader.Enumerator entries = new BlocksReader(body, new BlockGeometry(65536, 16384)).GetEnumerator();
        Assert.True(entries.MoveNext());
        Assert.Equal((BlockKind.Seed, 2L, 1L, WireSamples.HashOf(9)), (entries.Current.Kind, entries.Current.Block, entries.Current.Count, entries.Current.Hash));
        Assert.False(entries.MoveNext());
    }

    [Fact]
    public void A_batch_without_an_entry_is_no_frame()
    {
        using var batch = new BlocksWriter();
        batch.Begin(1, 2, 3);
        Assert.Throws<InvalidOperationException>(() => new FrameWriter().FinishBlocks(2, batch));
    }

    [Fact]
    public void A_payload_that_lies_where_it_belongs_stays_there()
    {
        byte[] storage = new byte[BlocksWriter.StorageFor(4, 65536)];
        using var batch = new BlocksWriter(4, 65536, storage);
        Memory<byte> place = batch.PayloadSpace;
        new Random(1).NextBytes(place.Span);
        byte[] content = place.ToArray();
        batch.Begin(1, 2, 3);
        Assert.True(batch.TryAdd(BlockKind.Raw, 0, WireSamples.HashOf(1), place.Span[..16384]));
        Assert.True(batch.TryAdd(BlockKind.Raw, 2, WireSamples.HashOf(2), place.Span[32768..49152]));
        ReadOnlyMemory<byte> frame = new FrameWriter().FinishBlocks(0, batch);
        Assert.Equal(content[..16384], frame.ToArray()[^32768..^16384]);
        Assert.Equal(content[32768..49152], frame.ToArray()[^16384..]);
    }

    [Property(MaxTest = 200)]
    public void A_patch_turns_the_old_block_into_the_new_one(int seed)
    {
        var random = new Random(seed);
        int length = random.Next(1, 16 * 4096);
        byte[] old = new byte[length];
        random.NextBytes(old);
        byte[] changed = (byte[])old.Clone();
        byte[] bitmap = new byte[PatchPayload.BitmapLength(length)];
        for (int i = 0; i < PatchPayload.SubBlocksOf(length); i++)
        {
            if (i == 0 || random.Next(2) == 0)
            {
                bitmap[i / 8] |= (byte)(1 << (i % 8));
                Span<byte> part = changed.AsSpan(i * 4096, Math.Min(4096, length - (i * 4096)));
                if (random.Next(2) == 0)
                {
                    part.Clear();
                }
                else
                {
                    random.NextBytes(part);
                }
            }
        }

        byte[] payload = new byte[PatchPayload.MaxLength(length)];
        int used = PatchPayload.Build(changed, bitmap, random.Next(2) == 0, new byte[length], payload);
        PatchPayload.Read(payload.AsSpan(0, used), length).ApplyTo(old, new byte[length]);
        Assert.Equal(changed, old);
    }

    [Fact]
    public void A_patch_with_wrong_bits_or_length_is_refused()
    {
        byte[] patch = WireSamples.Patch(5000, 0b10, compress: false);
        Assert.Equal(4 + 1 + (5000 - 4096), patch.Length);
        foreach ((int at, byte value) in (ReadOnlySpan<(int, byte)>)[(0, 2), (4, 0), (4, 0b1), (4, 0b11), (4, 0b110)])
        {
            byte[] bad = (byte[])patch.Clone();
            bad[at] = value;
            Assert.Throws<FormatViolationException>(() => { PatchPayload.Read(bad, 5000); });
        }

        for (int length = 0; length < patch.Length; length++)
        {
            Assert.Throws<FormatViolationException>(() => { PatchPayload.Read(patch.AsSpan(0, length), 5000); });
        }
    }

    private static (BlockKind Kind, byte[] Payload) Payload(Random random, BlockGeometry geometry, long block)
    {
        int length = geometry.LengthOf(block);
        switch (random.Next(4))
        {
            case 0:
                return (BlockKind.ZeroRun, []);
            case 1:
                return (BlockKind.Lz4, new byte[random.Next(1, length + 1)]);
            case 2:
                byte[] payload = new byte[PatchPayload.MaxLength(length)];
                int used = PatchPayload.Build(WireSamples.Block(length, 3), [1], false, [], payload);
                return (BlockKind.Patch, payload[..used]);
            default:
                return (BlockKind.Raw, WireSamples.Block(length, random.Next(256)));
        }
    }

    private static void Refused(byte[] body) =>
        Assert.Throws<FormatViolationException>(() => { _ = new BlocksReader(body, WireSamples.Geometry); });
}
