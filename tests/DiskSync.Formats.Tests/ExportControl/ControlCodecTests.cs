using DiskSync.Formats.ExportControl;
using DiskSync.TestSupport.Fuzz;

namespace DiskSync.Formats.Tests.ExportControl;

/// <summary>What an export and its borrower say to each other.</summary>
public sealed class ControlCodecTests
{
    [Fact]
    public void Every_message_comes_back_as_it_was()
    {
        foreach (ControlMessage message in FuzzExportControl.Messages)
        {
            byte[] bytes = ControlCodec.Encode(message);
            ControlMessage back = Decode(bytes);
            Assert.Equal(message.GetType(), back.GetType());
            Assert.Equal(bytes, ControlCodec.Encode(back));
        }
    }

    [Fact]
    public void A_message_cut_off_at_any_byte_is_refused()
    {
        foreach (byte[] bytes in FuzzExportControl.Messages.Select(ControlCodec.Encode))
        {
            for (int length = ControlCodec.HeaderSize; length < bytes.Length; length++)
            {
                Assert.Throws<FormatViolationException>(() => ControlCodec.Decode(bytes[4], bytes.AsSpan(ControlCodec.HeaderSize, length - ControlCodec.HeaderSize)));
            }
        }
    }

    [Fact]
    public void Few_runs_are_sent_as_runs_and_many_as_they_are()
    {
        ulong[] words = new ulong[DirtyBits.WordCount];
        words[7] = 1;
        Assert.Equal(ControlCodec.HeaderSize + 4 + 2 + 4, ControlCodec.Encode(new DirtyBits(0, words)).Length);
        Array.Fill(words, 0x5555_5555_5555_5555UL);
        Assert.Equal(ControlCodec.HeaderSize + 4 + 2 + 4096, ControlCodec.Encode(new DirtyBits(0, words)).Length);
        Assert.Throws<ArgumentException>(() => ControlCodec.Encode(new DirtyBits(0, new ulong[DirtyBits.WordCount])));
    }

    [Theory]
    [InlineData(new byte[] { 0, 0, 0, 0, 2, 0, 5, 0, 0, 0, 5, 0, 0, 0 })]
    [InlineData(new byte[] { 0, 0, 0, 0, 1, 0, 0xff, 0x7f, 1, 0 })]
    [InlineData(new byte[] { 0, 0, 8, 0, 1, 0, 0, 0, 0, 0 })]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 4 })]
    public void Dirty_runs_out_of_order_or_of_place_are_refused(byte[] body) =>
        Assert.Throws<FormatViolationException>(() => ControlCodec.Decode(4, body));

    [Fact]
    public void A_body_that_is_longer_than_any_is_refused_before_it_is_read()
    {
        byte[] header = [0x01, 0x40, 0, 0, 3];
        Assert.Throws<FormatViolationException>(() => ControlCodec.DecodeHeader(header));
        Assert.Throws<FormatViolationException>(() => ControlCodec.Decode(99, []));
    }

    private static ControlMessage Decode(byte[] bytes)
    {
        (int length, byte type) = ControlCodec.DecodeHeader(bytes);
        Assert.Equal(bytes.Length - ControlCodec.HeaderSize, length);
        return ControlCodec.Decode(type, bytes.AsSpan(ControlCodec.HeaderSize));
    }
}
