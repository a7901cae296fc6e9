using System.Buffers.Binary;
using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;
using DiskSync.TestSupport.Fuzz;
using FsCheck.Xunit;

namespace DiskSync.Formats.Tests.BlockMap;

public sealed class BlockMapFileTests
{
    [Fact]
    public void A_map_has_the_bytes_of_its_golden_file_both_ways()
    {
        Golden.Check("map-mixed.bin", FuzzBlockMap.Mixed());
        Golden.Check("map-empty.bin", FuzzBlockMap.Seeds()[0]);
        BlockMapReader reader = ReadAll(Golden.Read("map-mixed.bin"), out List<Hash256> hashes);
        Assert.Equal(new BlockGeometry((300 * 65536) - 1000, 65536), reader.Geometry);
        Assert.Equal(280, reader.UnknownBlocks);
        Assert.Equal(WireSamples.HashOf(5), hashes[299]);
        Assert.Equal(NaiveRoot.Of(reader.Geometry, hashes), reader.Root);
    }

    [Property(MaxTest = 40)]
    public void Every_map_comes_back_as_it_was(int seed)
    {
        var random = new Random(seed);
        Hash256[] hashes = [.. Enumerable.Range(0, random.Next(20)).SelectMany(_ => Enumerable.Repeat(
            random.Next(3) == 0 ? Hash256.Unknown : WireSamples.HashOf((byte)random.Next(256)),
            random.Next(3) == 0 ? random.Next(2000) : 1))];
        var geometry = new BlockGeometry(hashes.Length * 4096L, 4096);
        var stream = new MemoryStream();
        var writer = new BlockMapWriter(stream, geometry);
        Array.ForEach(hashes, hash => writer.Append(hash));
        Hash256 root = writer.Finish();
        BlockMapReader reader = ReadAll(stream.ToArray(), out List<Hash256> back);
        Assert.Equal(hashes, back);
        Assert.Equal(root, reader.Root);
        Assert.Equal(new BlockMapClaim(geometry, root, hashes.Count(h => h.IsUnknown)), BlockMapClaim.Read(stream));
    }

    [Fact]
    public void Many_single_hashes_fill_several_records()
    {
        Hash256[] hashes = [.. Enumerable.Range(0, 5000).Select(i => WireSamples.HashOf((byte)i))];
        byte[] file = FuzzBlockMap.Sample(new BlockGeometry(5000L << 16, 1 << 16), [.. hashes.Select(h => new MapRun(1, h))]);
        ReadAll(file, out List<Hash256> back);
        Assert.Equal(hashes, back);
        Assert.InRange(file.Length, 5000 * 32, (5000 * 32) + 200);
    }

    [Fact]
    public void A_map_cut_off_at_any_byte_is_refused() => Damage.CutAnywhere(FuzzBlockMap.Mixed(), Read);

    [Fact]
    public void A_map_with_any_bit_flipped_is_refused() => Damage.FlipAnywhere(FuzzBlockMap.Mixed(), Read);

    [Fact]
    public void A_map_of_another_version_is_refused_by_name() => Damage.OtherVersion(FuzzBlockMap.Mixed(), 8, Read);

    [Fact]
    public void A_map_that_breaks_a_rule_is_refused_though_its_check_is_right()
    {
        byte[] file = FuzzBlockMap.Mixed();
        (int At, byte Value)[] edits =
        [
            (10, 1), // reserved
            (12, 1), // granularity
            (23, 0x7F), // length
            (24, 1), // block count
            (32, 0), // first record: its kind and its count
            (33, 0),
            (35, 1),
            (40, 0xFF),
            (file.Length - 81 + 1, 1), // end record: blocks, unknown, root
            (file.Length - 81 + 9, 1),
            (file.Length - 81 + 17, 1),
        ];
        foreach ((int at, byte value) in edits)
        {
            byte[] bad = (byte[])file.Clone();
            bad[at] = value;
            FuzzBlockMap.Repair(bad);
            Assert.Throws<FormatViolationException>(() => Read(bad));
        }
    }

    [Fact]
    public void A_run_far_longer_than_the_image_is_refused_without_room_made_for_it()
    {
        byte[] file = FuzzBlockMap.Mixed();
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(33), 1UL << 50);
        Assert.InRange(Allocation.Of(() => Assert.Throws<FormatViolationException>(() => Read(file))), 0, 256 << 10);
    }

    [Fact]
    public void The_root_of_a_map_is_not_given_before_it_is_proven()
    {
        var reader = new BlockMapReader(new MemoryStream(FuzzBlockMap.Mixed()));
        Assert.True(reader.TryRead(out _));
        Assert.False(reader.IsComplete);
        Assert.Throws<InvalidOperationException>(() => reader.Root);
        Assert.Throws<InvalidOperationException>(() => reader.UnknownBlocks);
    }

    [Fact]
    public void A_map_that_arrives_byte_by_byte_is_read()
    {
        byte[] file = FuzzBlockMap.Mixed();
        var reader = new BlockMapReader(new TrickleStream(file));
        while (reader.TryRead(out _))
        {
        }

        Assert.True(reader.IsComplete);
    }

    private static void Read(byte[] file) => ReadAll(file, out _);

    private static BlockMapReader ReadAll(byte[] file, out List<Hash256> hashes)
    {
        var reader = new BlockMapReader(new MemoryStream(file));
        hashes = [];
        while (reader.TryRead(out MapRun run))
        {
            hashes.AddRange(Enumerable.Repeat(run.Hash, (int)run.Count));
        }

        return reader;
    }
}
