using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.SavedMap;
using DiskSync.TestSupport.Fuzz;
using FsCheck.Xunit;

namespace DiskSync.Formats.Tests.SavedMap;

public sealed class SavedMapCodecTests
{
    [Fact]
    public void A_record_has_the_bytes_of_its_golden_file_both_ways()
    {
        Golden.Check("saved-map.bin", SavedMapCodec.Encode(FuzzSavedMap.OfFile));
        Assert.Equal(FuzzSavedMap.OfFile, SavedMapCodec.Decode(Golden.Read("saved-map.bin")));
    }

    [Property(MaxTest = 200)]
    public void Every_record_comes_back_as_it_was(
        string source, bool isDevice, Guid boot, ulong device, ulong inode, long birth, long changed, ulong sectors, uint length, long time)
    {
        var record = new SavedMapRecord(
            Formats.Wire.WireText.Clip(source ?? ""),
            new BlockGeometry(length, 4096),
            WireSamples.HashOf(1),
            time,
            new SourceIdentity(isDevice, boot, device, device + 1, inode, birth, changed, inode + 1, inode + 2, sectors));
        byte[] bytes = SavedMapCodec.Encode(record);
        Assert.Equal(record, SavedMapCodec.Decode(bytes));
        Assert.InRange(bytes.Length, 0, SavedMapCodec.MaxSize);
    }

    [Fact]
    public void A_record_cut_off_at_any_byte_is_refused() => Damage.CutAnywhere(Golden.Read("saved-map.bin"), Read);

    [Fact]
    public void A_record_with_any_bit_flipped_is_refused() => Damage.FlipAnywhere(Golden.Read("saved-map.bin"), Read);

    [Fact]
    public void A_record_of_another_version_is_refused_by_name() => Damage.OtherVersion(Golden.Read("saved-map.bin"), 8, Read);

    [Fact]
    public void A_record_that_breaks_a_rule_is_refused_though_its_check_is_right()
    {
        foreach ((int at, byte value) in (ReadOnlySpan<(int, byte)>)[(0, (byte)'X'), (10, 3), (12, 1), (23, 0xFF), (144, 0), (145, 0xFF)])
        {
            byte[] bad = Golden.Read("saved-map.bin");
            bad[at] = value;
            FuzzSavedMap.Repair(bad);
            Assert.Throws<FormatViolationException>(() => Read(bad));
        }

        Assert.ThrowsAny<ArgumentException>(() => SavedMapCodec.Encode(FuzzSavedMap.OfFile with { Root = Hash256.Unknown }));
    }

    [Theory]
    [InlineData(1, 1, new[] { 0L, 8192 })]
    [InlineData(256, 1, new[] { 0L, 8192 })]
    [InlineData(257, 2, new[] { 0L, 16384, 24576 })]
    [InlineData(65537, 3, new[] { 0L, 257 * 8192L, 259 * 8192L, 260 * 8192L })]
    public void The_levels_follow_each_other_in_groups_of_8_KiB(long blocks, int top, long[] offsets)
    {
        SavedMapLayout layout = new(new BlockGeometry(blocks * 4096, 4096));
        Assert.Equal(top, layout.TopLevel);
        for (int level = 0; level <= top; level++)
        {
            Assert.Equal(offsets[level], layout.OffsetOf(level, 0));
        }

        Assert.Equal(offsets[^1] + 32, layout.Length);
    }

    private static void Read(byte[] bytes) => SavedMapCodec.Decode(bytes);
}
