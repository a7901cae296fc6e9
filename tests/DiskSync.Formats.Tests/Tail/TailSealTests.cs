using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Tail;
using DiskSync.TestSupport.Fuzz;
using FsCheck.Xunit;

namespace DiskSync.Formats.Tests.Tail;

public sealed class TailSealTests
{
    [Fact]
    public void A_tail_seal_has_the_bytes_of_its_golden_file_both_ways()
    {
        Golden.Check("tail-seal.bin", TailSealCodec.Encode(FuzzTailSeal.Record));
        Assert.Equal(FuzzTailSeal.Record, TailSealCodec.Decode(Golden.Read("tail-seal.bin")));
    }

    [Property(MaxTest = 200)]
    public void Every_tail_seal_comes_back_as_it_was(string image, string host, string source, ulong epoch, long time, uint length, bool isKnown)
    {
        var seal = new TailSealRecord(
            Formats.Wire.WireText.Clip(image ?? ""),
            Math.Max(1, epoch),
            new BlockGeometry(length, 4096),
            isKnown ? WireSamples.HashOf(1) : Hash256.Unknown,
            Guid.NewGuid(),
            time,
            Formats.Wire.WireText.Clip(host ?? ""),
            Formats.Wire.WireText.Clip(source ?? ""));
        byte[] bytes = TailSealCodec.Encode(seal);
        Assert.Equal(seal, TailSealCodec.Decode(bytes));
        Assert.InRange(bytes.Length, 0, TailSealCodec.MaxSize);
    }

    [Fact]
    public void A_tail_seal_cut_off_at_any_byte_is_refused() => Damage.CutAnywhere(Golden.Read("tail-seal.bin"), Read);

    [Fact]
    public void A_tail_seal_with_any_bit_flipped_is_refused() => Damage.FlipAnywhere(Golden.Read("tail-seal.bin"), Read);

    [Fact]
    public void A_tail_seal_of_another_version_is_refused_by_name() => Damage.OtherVersion(Golden.Read("tail-seal.bin"), 8, Read);

    [Fact]
    public void A_tail_seal_that_breaks_a_rule_is_refused_though_its_check_is_right()
    {
        foreach ((int at, byte value) in (ReadOnlySpan<(int, byte)>)[(0, (byte)'X'), (10, 1), (12, 1), (23, 0xFF), (24, 0), (88, 0), (89, 0xFF)])
        {
            byte[] bad = Golden.Read("tail-seal.bin");
            bad[at] = value;
            FuzzTailSeal.Repair(bad);
            Assert.Throws<FormatViolationException>(() => Read(bad));
        }

        Assert.ThrowsAny<ArgumentException>(() => TailSealCodec.Encode(FuzzTailSeal.Record with { Epoch = 0 }));
        Assert.ThrowsAny<ArgumentException>(() => TailSealCodec.Encode(FuzzTailSeal.Record with { Attempt = Guid.Empty }));
    }

    private static void Read(byte[] bytes) => TailSealCodec.Decode(bytes);
}
