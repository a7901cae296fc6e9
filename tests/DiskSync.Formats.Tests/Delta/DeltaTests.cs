using System.Buffers.Binary;
using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Delta;
using DiskSync.TestSupport.Fuzz;
using FsCheck.Xunit;

namespace DiskSync.Formats.Tests.Delta;

public sealed class DeltaTests
{
    private const int Granularity = 16384;
    private static readonly byte[] OldImage = FuzzDelta.Image();
    private static readonly byte[] NewImage = FuzzDelta.Changed(OldImage);

    [Fact]
    public void A_delta_has_the_bytes_of_its_golden_file_both_ways()
    {
        Golden.Check("delta-grow.bin", FuzzDelta.Build(OldImage, NewImage));
        Golden.Check("delta-shrink.bin", FuzzDelta.Seeds()[1]);
        Golden.Check("delta-same.bin", FuzzDelta.Seeds()[2]);
        Assert.Equal(NewImage, Apply(Golden.Read("delta-grow.bin"), OldImage));
        Assert.Equal(OldImage[..(Granularity + 100)], Apply(Golden.Read("delta-shrink.bin"), OldImage));
        Assert.Equal(0, DeltaReader.ValidateWhole(new MemoryStream(Golden.Read("delta-same.bin"))).Blocks);
    }

    [Fact]
    public void Each_block_is_written_in_the_shortest_way()
    {
        List<DeltaRecord> records = Records(FuzzDelta.Build(OldImage, NewImage));
        Assert.Equal(
            [(DeltaKind.Patch, 0L, 1L), (DeltaKind.Zero, 1, 1), (DeltaKind.Lz4, 2, 1), (DeltaKind.Raw, 3, 1), (DeltaKind.Lz4, 5, 1), (DeltaKind.Zero, 6, 2), (DeltaKind.Zero, 8, 1)],
            records.Select(r => (r.Kind, r.Block, r.Count)));
        Assert.All(records, r => Assert.Equal(r.Block > 5, r.OldHash.IsUnknown));
    }

    [Property(MaxTest = 100)]
    public void Every_delta_turns_the_old_image_into_the_new_one(int seed)
    {
        var random = new Random(seed);
        int granularity = 4096 << random.Next(4);
        byte[] before = Image(random);
        byte[] after = random.Next(3) == 0 ? Image(random) : Mutate(random, before);
        byte[] delta = FuzzDelta.Build(before, after, granularity);
        Assert.Equal(after, Apply(delta, before));
        DeltaSummary summary = DeltaReader.ValidateWhole(new MemoryStream(delta));
        Assert.Equal(FuzzDelta.Root(before, granularity), summary.OldRoot);
        Assert.Equal(FuzzDelta.Root(after, granularity), summary.NewRoot);
        Assert.Equal(summary.Records, Records(delta).Count);
    }

    [Fact]
    public void A_delta_cut_off_at_any_byte_is_refused() => Damage.CutAnywhere(Small(), Validate);

    [Fact]
    public void A_delta_with_any_bit_flipped_is_refused() => Damage.FlipAnywhere(Small(), Validate);

    [Fact]
    public void A_delta_of_another_version_is_refused_by_name() => Damage.OtherVersion(Small(), 8, Validate);

    [Theory]
    [InlineData(10, 1)] // reserved
    [InlineData(12, 1)] // granularity
    [InlineData(23, 0x7F)] // old length
    [InlineData(31, 0x7F)] // new length
    [InlineData(32, 0)] // the first record, a patch: kind
    [InlineData(32, 5)]
    [InlineData(32, 1)] // a zero record with a payload
    [InlineData(32, 2)] // a raw record with a short payload
    [InlineData(33, 1)] // reserved
    [InlineData(36, 0)] // count
    [InlineData(36, 2)]
    [InlineData(40, 200)] // block
    [InlineData(47, 0x80)]
    [InlineData(114, 0xFF)] // payload length
    [InlineData(115, 0xFF)]
    [InlineData(116, 1)] // reserved
    [InlineData(120, 2)] // patch flags
    [InlineData(124, 0)] // patch bitmap
    public void A_delta_that_breaks_a_rule_is_refused_though_its_check_is_right(int at, byte value)
    {
        byte[] bad = Small();
        bad[at] = value;
        FuzzDelta.Repair(bad);
        Assert.Throws<FormatViolationException>(() => Validate(bad));
    }

    [Theory]
    [InlineData(127)] // kind of the end record
    [InlineData(123)] // its reserved bytes
    [InlineData(120)] // records
    [InlineData(112)] // blocks
    [InlineData(104)] // payload bytes
    public void An_end_that_counts_wrong_is_refused_though_its_check_is_right(int fromEnd)
    {
        byte[] bad = Small();
        bad[^(fromEnd + 1)] ^= 1;
        FuzzDelta.Repair(bad);
        Assert.Throws<FormatViolationException>(() => Validate(bad));
    }

    [Fact]
    public void Hashes_that_cannot_be_are_refused_though_the_check_is_right()
    {
        byte[] small = Small();
        foreach ((int from, int to) in (ReadOnlySpan<(int, int)>)[(48, 80), (-1, 48), (-1, 80), (-1, small.Length - 96), (small.Length - 96, small.Length - 64)])
        {
            byte[] bad = (byte[])small.Clone();
            ReadOnlySpan<byte> source = from < 0 ? new byte[32] : bad.AsSpan(from, 32);
            source.CopyTo(bad.AsSpan(to));
            FuzzDelta.Repair(bad);
            Assert.Throws<FormatViolationException>(() => Validate(bad));
        }
    }

    [Fact]
    public void Content_that_does_not_have_its_hash_is_refused_before_anything_is_applied()
    {
        byte[] after = (byte[])OldImage.Clone();
        Blake3.Hash("more noise"u8, after.AsSpan(0, Granularity));
        byte[] delta = FuzzDelta.Build(OldImage, after);
        Assert.Equal(DeltaKind.Raw, Assert.Single(Records(delta)).Kind);
        delta[130] ^= 1;
        FuzzDelta.Repair(delta);
        Assert.Throws<FormatViolationException>(() => Validate(delta));
    }

    [Fact]
    public void A_patch_on_anything_but_the_old_block_is_not_built()
    {
        DeltaRecord patch = Records(Small())[0];
        byte[] block = OldImage[..Granularity];
        block[Granularity - 1] ^= 1;
        Assert.Throws<FormatViolationException>(() => DeltaBlock.Build(patch, block, new byte[Granularity]));
    }

    [Fact]
    public void A_block_that_a_crash_left_half_written_is_built_again()
    {
        foreach (DeltaRecord record in Records(FuzzDelta.Build(OldImage, NewImage)).Where(r => r.Block < 5))
        {
            byte[] block = OldImage[((int)record.Block * Granularity)..(((int)record.Block + 1) * Granularity)];
            NewImage.AsSpan((int)record.Block * Granularity, 5005).CopyTo(block);
            DeltaBlock.Build(record, block, new byte[Granularity]);
            Assert.Equal(NewImage[((int)record.Block * Granularity)..(((int)record.Block + 1) * Granularity)], block);
        }
    }

    [Fact]
    public void A_payload_far_longer_than_what_follows_is_refused_without_room_made_for_it()
    {
        var geometry = new BlockGeometry(1L << 40, BlockGeometry.MaxGranularity);
        byte[] start = Start(geometry);
        foreach (uint length in (uint[])[BlockGeometry.MaxGranularity - 1, BlockGeometry.MaxGranularity + 1000, uint.MaxValue])
        {
            BinaryPrimitives.WriteUInt32LittleEndian(start.AsSpan(112), length);
            Assert.InRange(Allocation.Of(() => Assert.Throws<FormatViolationException>(() => Validate(start))), 0, 512 << 10);
        }
    }

    [Fact]
    public void A_writer_used_wrongly_says_so()
    {
        var oldGeometry = new BlockGeometry(3 * Granularity, Granularity);
        var newGeometry = new BlockGeometry(6 * Granularity, Granularity);
        var writer = new DeltaWriter(new MemoryStream(), oldGeometry, newGeometry);
        byte[] block = new byte[Granularity];
        Hash256 known = WireSamples.HashOf(1);
        Assert.ThrowsAny<ArgumentException>(() => writer.WriteZeros(2, 2, known));
        Assert.ThrowsAny<ArgumentException>(() => writer.WriteZeros(3, 1, known));
        Assert.ThrowsAny<ArgumentException>(() => writer.WriteZeros(2, 1, Hash256.Unknown));
        Assert.ThrowsAny<ArgumentException>(() => writer.WriteZeros(5, 2, Hash256.Unknown));
        Assert.ThrowsAny<ArgumentException>(() => writer.WriteBlock(0, known, known, block));
        Assert.ThrowsAny<ArgumentException>(() => writer.WriteBlock(0, known, WireSamples.HashOf(2), block.AsSpan(1)));
        writer.WriteZeros(3, 2, Hash256.Unknown);
        Assert.ThrowsAny<ArgumentException>(() => writer.WriteZeros(4, 1, Hash256.Unknown));
        Assert.Throws<InvalidOperationException>(() => writer.Finish(known, WireSamples.HashOf(2)));
    }

    /// <summary>One patch record and the end.</summary>
    private static byte[] Small()
    {
        byte[] after = (byte[])OldImage.Clone();
        after.AsSpan(5000, 10).Fill(0x55);
        return FuzzDelta.Build(OldImage, after);
    }

    /// <summary>A header and the fixed part of one LZ4 record of the largest granularity.</summary>
    private static byte[] Start(BlockGeometry geometry)
    {
        var stream = new MemoryStream();
        var writer = new DeltaWriter(stream, geometry, geometry);
        writer.WriteBlock(5, WireSamples.HashOf(1), WireSamples.HashOf(2), new byte[BlockGeometry.MaxGranularity - 1].Append((byte)1).ToArray());
        writer.Finish(WireSamples.HashOf(3), WireSamples.HashOf(4));
        byte[] start = stream.ToArray()[..200];
        Assert.Equal((byte)DeltaKind.Lz4, start[32]);
        return start;
    }

    private static void Validate(byte[] file) => DeltaReader.ValidateWhole(new MemoryStream(file));

    private static List<DeltaRecord> Records(byte[] delta)
    {
        var reader = new DeltaReader(new MemoryStream(delta));
        var records = new List<DeltaRecord>();
        while (reader.TryRead(out DeltaRecord record))
        {
            records.Add(record with { Payload = record.Payload.ToArray() });
        }

        return records;
    }

    private static byte[] Apply(byte[] delta, byte[] image)
    {
        var reader = new DeltaReader(new TrickleStream(delta));
        byte[] result = new byte[reader.NewGeometry.Length];
        image.AsSpan(0, Math.Min(image.Length, result.Length)).CopyTo(result);
        byte[] scratch = new byte[reader.NewGeometry.Granularity];
        while (reader.TryRead(out DeltaRecord record))
        {
            for (long block = record.Block; block < record.Block + record.Count; block++)
            {
                if (block < reader.OldGeometry.BlockCount)
                {
                    Assert.Equal(record.OldHash, Blake3.Hash(image.AsSpan((int)reader.OldGeometry.OffsetOf(block), reader.OldGeometry.LengthOf(block))));
                }

                int at = (int)reader.NewGeometry.OffsetOf(block);
                DeltaBlock.Build(record, result.AsSpan(at, reader.NewGeometry.LengthOf(block)), scratch);
            }
        }

        return result;
    }

    private static byte[] Image(Random random)
    {
        byte[] image = new byte[random.Next(200_000)];
        for (int at = 0; at < image.Length; at += 7000)
        {
            Span<byte> part = image.AsSpan(at, Math.Min(7000, image.Length - at));
            switch (random.Next(3))
            {
                case 0:
                    random.NextBytes(part);
                    break;
                case 1:
                    part.Fill((byte)random.Next(256));
                    break;
            }
        }

        return image;
    }

    private static byte[] Mutate(Random random, byte[] image)
    {
        byte[] changed = random.Next(3) switch
        {
            0 => image[..random.Next(image.Length + 1)],
            1 => [.. image, .. new byte[random.Next(100_000)]],
            _ => (byte[])image.Clone(),
        };
        for (int i = random.Next(6); i > 0 && changed.Length > 0; i--)
        {
            int at = random.Next(changed.Length);
            changed.AsSpan(at, Math.Min(random.Next(1, 20_000), changed.Length - at)).Fill((byte)random.Next(3));
        }

        return changed;
    }
}
