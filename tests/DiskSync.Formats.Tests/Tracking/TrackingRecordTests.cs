using DiskSync.Codecs;
using DiskSync.Formats.ExportControl;
using DiskSync.Formats.Tracking;
using DiskSync.TestSupport.Fuzz;

namespace DiskSync.Formats.Tests.Tracking;

public sealed class TrackingRecordTests
{
    [Fact]
    public void A_record_has_the_bytes_of_its_golden_file_both_ways()
    {
        Golden.Check("tracking.bin", TrackingRecordCodec.TryEncode(FuzzTracking.Sample)!);
        TrackingRecord read = TrackingRecordCodec.Decode(Golden.Read("tracking.bin"));
        Assert.Equal(FuzzTracking.Sample with { Chunks = read.Chunks }, read);
        Assert.Equal([0u, 7u], read.Chunks.Select(c => c.Chunk));
        Assert.Equal(FuzzTracking.Sample.Chunks[1].Words, read.Chunks[1].Words);
    }

    [Fact]
    public void A_record_cut_off_at_any_byte_is_refused() => Damage.CutAnywhere(Small(), Read);

    [Fact]
    public void A_record_with_any_bit_flipped_is_refused() => Damage.FlipAnywhere(Small(), Read);

    [Fact]
    public void A_record_of_another_version_is_refused_by_name() => Damage.OtherVersion(Small(), 8, Read);

    [Fact]
    public void Chunks_that_come_twice_or_out_of_order_are_refused()
    {
        DirtyBits[] chunks = [.. FuzzTracking.Sample.Chunks];
        foreach (DirtyBits[] bad in (DirtyBits[][])[[chunks[1], chunks[0]], [chunks[0], chunks[0]]])
        {
            byte[] bytes = TrackingRecordCodec.TryEncode(FuzzTracking.Sample with { Chunks = bad })!;
            Assert.Throws<FormatViolationException>(() => Read(bytes));
        }
    }

    [Fact]
    public void A_record_that_would_be_too_long_is_not_written_and_one_without_a_root_is_a_bug()
    {
        DirtyBits full = FuzzTracking.Sample.Chunks[1];
        DirtyBits[] many = [.. Enumerable.Range(0, TrackingRecordCodec.MaxSize / 4096).Select(i => full with { Chunk = (uint)i })];
        Assert.Null(TrackingRecordCodec.TryEncode(FuzzTracking.Sample with { Chunks = many }));
        Assert.Throws<ArgumentException>(() => TrackingRecordCodec.TryEncode(FuzzTracking.Sample with { Root = Hash256.Unknown }));
    }

    private static byte[] Small() => TrackingRecordCodec.TryEncode(FuzzTracking.Sample with { Chunks = [] })!;

    private static void Read(byte[] bytes) => TrackingRecordCodec.Decode(bytes);
}
