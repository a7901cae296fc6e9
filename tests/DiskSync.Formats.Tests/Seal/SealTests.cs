using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Seal;
using DiskSync.TestSupport.Fuzz;
using FsCheck.Xunit;

namespace DiskSync.Formats.Tests.Seal;

public sealed class SealTests
{
    [Fact]
    public void A_seal_has_the_bytes_of_its_golden_file_both_ways()
    {
        Golden.Check("seal.bin", SealCodec.Encode(FuzzSeal.Record));
        Assert.Equal(FuzzSeal.Record, SealCodec.Decode(Golden.Read("seal.bin")));
    }

    [Property(MaxTest = 200)]
    public void Every_seal_comes_back_as_it_was(
        string image, ulong epoch, Guid attempt, long time, ulong device, ulong inode, long size, long modified, long changed, uint length)
    {
        var seal = new SealRecord(
            Formats.Wire.WireText.Clip(image ?? ""),
            epoch,
            new BlockGeometry(length, 4096),
            WireSamples.HashOf(1),
            attempt,
            time,
            new FileStamp(device, inode, size, modified, changed));
        seal = seal with { SettledBoot = attempt };
        byte[] bytes = SealCodec.Encode(seal);
        Assert.Equal(seal, SealCodec.Decode(bytes));
        Assert.InRange(bytes.Length, 0, SealCodec.MaxSize);
    }

    [Fact]
    public void A_seal_of_version_1_is_read_as_one_that_says_nothing_of_a_boot()
    {
        Assert.Equal(FuzzSeal.Record with { SettledBoot = Guid.Empty }, SealCodec.Decode(Golden.Read("seal-v1.bin")));
    }

    [Fact]
    public void A_seal_cut_off_at_any_byte_is_refused() => Damage.CutAnywhere(Golden.Read("seal.bin"), Read);

    [Fact]
    public void A_seal_with_any_bit_flipped_is_refused() => Damage.FlipAnywhere(Golden.Read("seal.bin"), Read);

    [Fact]
    public void A_seal_of_another_version_is_refused_by_name() => Damage.OtherVersion(Golden.Read("seal.bin"), 8, Read);

    [Fact]
    public void A_seal_that_breaks_a_rule_is_refused_though_its_check_is_right()
    {
        foreach ((int at, byte value) in (ReadOnlySpan<(int, byte)>)[(0, (byte)'X'), (10, 1), (12, 1), (23, 0xFF), (144, 0), (145, 0xFF)])
        {
            byte[] bad = Golden.Read("seal.bin");
            bad[at] = value;
            FuzzSeal.Repair(bad);
            Assert.Throws<FormatViolationException>(() => Read(bad));
        }

        Assert.ThrowsAny<ArgumentException>(() => SealCodec.Encode(FuzzSeal.Record with { Root = Hash256.Unknown }));
    }

    [Fact]
    public void Only_a_seal_that_fits_no_file_may_have_no_root()
    {
        SealRecord tail = FuzzSeal.Record with { Root = Hash256.Unknown, Stamp = default };
        Assert.Equal(tail, SealCodec.Decode(SealCodec.Encode(tail)));
        Assert.ThrowsAny<ArgumentException>(() => SealCodec.Encode(tail with { Epoch = 0 }));
        byte[] bad = SealCodec.Encode(tail);
        bad[88] = 1;
        FuzzSeal.Repair(bad);
        Assert.Throws<FormatViolationException>(() => Read(bad));
    }

    private static void Read(byte[] bytes) => SealCodec.Decode(bytes);
}
