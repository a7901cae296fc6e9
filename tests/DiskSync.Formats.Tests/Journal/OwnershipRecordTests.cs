using DiskSync.Codecs;
using DiskSync.Formats.Journal;
using DiskSync.Formats.Wire.Messages;
using DiskSync.TestSupport.Fuzz;
using FsCheck.Xunit;

namespace DiskSync.Formats.Tests.Journal;

public sealed class OwnershipRecordTests
{
    private static readonly Hash256 Start = OwnershipRecordCodec.Genesis(false);

    [Fact]
    public void A_record_has_the_bytes_of_its_golden_file_both_ways()
    {
        Golden.Check("ownership.bin", FuzzOwnership.Encode(FuzzOwnership.Record));
        OwnershipRecord back = OwnershipRecordCodec.Decode(Golden.Read("ownership.bin"), 1, Start, out Hash256 chain);
        Assert.Equivalent(FuzzOwnership.Record, back, strict: true);
        Assert.Equal(new Hash256(Golden.Read("ownership.bin").AsSpan()[^32..]), chain);
    }

    [Property(MaxTest = 200)]
    public void Every_record_comes_back_as_it_was(
        string image, Guid attempt, ulong epoch, byte state, long time, string peer, string command, string[] images, ulong sequence)
    {
        var record = new OwnershipRecord(
            "i" + Text(image), attempt, epoch, (AttemptState)(1 + (state % 12)), WireSamples.HashOf(state), time, Text(peer), Text(command), [.. (images ?? []).Select(Text).Take(64)]);
        byte[] bytes = OwnershipRecordCodec.Encode(record, sequence, WireSamples.HashOf(9), out Hash256 chain);
        OwnershipRecord back = OwnershipRecordCodec.Decode(bytes, sequence, WireSamples.HashOf(9), out Hash256 chainBack);
        Assert.Equivalent(record, back, strict: true);
        Assert.Equal(chain, chainBack);
    }

    [Fact]
    public void A_record_cut_off_at_any_byte_is_refused() => Damage.CutAnywhere(Golden.Read("ownership.bin"), Read);

    [Fact]
    public void A_record_with_any_bit_flipped_is_refused() => Damage.FlipAnywhere(Golden.Read("ownership.bin"), Read);

    [Fact]
    public void A_record_of_another_version_is_refused_by_name()
    {
        byte[] other = Golden.Read("ownership.bin");
        other[0] = 77;
        FuzzOwnership.Repair(other);
        Assert.Contains("version 77", Assert.Throws<FormatViolationException>(() => Read(other)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_record_in_another_place_is_refused()
    {
        byte[] record = Golden.Read("ownership.bin");
        Assert.Throws<FormatViolationException>(() => OwnershipRecordCodec.Decode(record, 2, Start, out _));
        Assert.Throws<FormatViolationException>(
            () => OwnershipRecordCodec.Decode(record, 1, OwnershipRecordCodec.Genesis(true), out _));
    }

    [Fact]
    public void A_record_that_breaks_a_rule_is_refused_though_its_chain_is_right()
    {
        foreach ((int at, byte value) in (ReadOnlySpan<(int, byte)>)[(1, 0), (1, 13), (2, 1), (77, 0xFF)])
        {
            byte[] bad = Golden.Read("ownership.bin");
            bad[at] = value;
            FuzzOwnership.Repair(bad);
            Assert.Throws<FormatViolationException>(() => Read(bad));
        }

        Assert.ThrowsAny<ArgumentException>(() => FuzzOwnership.Encode(FuzzOwnership.Record with { Image = "" }));
        Assert.ThrowsAny<ArgumentException>(() => FuzzOwnership.Encode(FuzzOwnership.Record with { State = AttemptState.None }));
        Assert.ThrowsAny<ArgumentException>(() => FuzzOwnership.Encode(FuzzOwnership.Record with { Images = new string[65] }));
    }

    private static void Read(byte[] bytes) => OwnershipRecordCodec.Decode(bytes, 1, Start, out _);

    private static string Text(string? text) => Formats.Wire.WireText.Clip(text ?? "");
}
