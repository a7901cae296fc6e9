using System.Buffers;
using System.Buffers.Binary;
using DiskSync.Formats.Wire;
using DiskSync.Formats.Wire.Messages;
using DiskSync.TestSupport.Fuzz;
using FsCheck.Xunit;

namespace DiskSync.Formats.Tests.Wire;

public sealed class MessageCodecTests
{
    public static TheoryData<int> Samples() => [.. Enumerable.Range(0, WireSamples.Messages.Count)];

    [Fact]
    public void There_is_a_sample_of_every_message_type()
    {
        IEnumerable<FrameType> types = WireSamples.Messages.Select(m => MessageCodec.Encode(m, new ArrayBufferWriter<byte>()));
        Assert.Equal(Enum.GetValues<FrameType>().Where(t => t != FrameType.Blocks), types.Order());
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public void A_message_has_the_bytes_of_its_golden_file_both_ways(int sample)
    {
        Message message = WireSamples.Messages[sample];
        string name = $"wire-{message.GetType().Name}.bin";
        Golden.Check(name, WireSamples.FrameOf(message));
        var buffer = new ReadOnlySequence<byte>(Golden.Read(name));
        Assert.True(new FrameReader().TryRead(ref buffer, out Frame frame));
        Assert.Equivalent(message, MessageCodec.Decode(frame.Type, frame.Body), strict: true);
    }

    [Property(MaxTest = 1000)]
    public void Every_message_comes_back_as_it_was(int seed)
    {
        Message message = new MessageGenerator(seed).Next();
        byte[] input = FuzzMessages.Input(message);
        var type = (FrameType)BinaryPrimitives.ReadUInt16LittleEndian(input);
        Message back = MessageCodec.Decode(type, Split(input.AsMemory(2)));
        Assert.Equal(message.GetType(), back.GetType());
        Assert.Equal(input, FuzzMessages.Input(back));
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public void A_message_cut_off_at_any_byte_is_refused(int sample)
    {
        byte[] input = FuzzMessages.Input(WireSamples.Messages[sample]);
        for (int length = 2; length < input.Length; length++)
        {
            Assert.Throws<FormatViolationException>(() => Decode(input.AsSpan(0, length)));
        }
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public void A_message_with_a_byte_too_many_is_refused(int sample) =>
        Assert.Throws<FormatViolationException>(
            () => Decode([.. FuzzMessages.Input(WireSamples.Messages[sample]), 0]));

    [Theory]
    [MemberData(nameof(Samples))]
    public void A_message_with_any_bit_flipped_is_refused_or_means_exactly_its_bytes(int sample)
    {
        byte[] input = FuzzMessages.Input(WireSamples.Messages[sample]);
        for (int bit = 0; bit < input.Length * 8; bit++)
        {
            input[bit / 8] ^= (byte)(1 << (bit % 8));
            FuzzMessages.Run(input);
            input[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Theory]
    [InlineData(FrameType.Bases, 0)]
    [InlineData(FrameType.MapData, 9)]
    [InlineData(FrameType.SubHashRequest, 0)]
    [InlineData(FrameType.SubHashes, 0)]
    [InlineData(FrameType.BatchAck, 8)]
    [InlineData(FrameType.Verified, 48)]
    [InlineData(FrameType.Prepare, 24)]
    public void A_list_longer_than_what_follows_is_refused_without_room_made_for_it(FrameType type, int countAt)
    {
        foreach (uint count in (uint[])[2, 64, 256, 2048, 4096, 65536, uint.MaxValue])
        {
            byte[] body = new byte[countAt + 4 + 9];
            BinaryPrimitives.WriteUInt32LittleEndian(body.AsSpan(countAt), count);
            long allocated = Allocation.Of(() => Assert.Throws<FormatViolationException>(() => MessageCodec.Decode(type, body)));
            Assert.InRange(allocated, 0, 16 << 10);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(21)]
    [InlineData(0x20)]
    [InlineData(0x42)]
    [InlineData(0xFFFF)]
    public void An_unknown_type_is_refused(ushort type)
    {
        FormatViolationException e = Assert.Throws<FormatViolationException>(
            () => MessageCodec.Decode((FrameType)type, ReadOnlySpan<byte>.Empty));
        Assert.Contains($"0x{type:x2}", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Text_for_people_is_shortened_and_names_are_not()
    {
        string longText = new('\u4e2d', 4000);
        var abort = (Abort)RoundTrip(new Abort(AbortCode.Internal, false, "", -1, longText, "half a pair: \ud800"));
        Assert.Equal(new string('\u4e2d', 1365), abort.Reason);
        Assert.Equal("half a pair: \ufffd", abort.Advice);
        var running = (Running)RoundTrip(new Running(Guid.Empty, 1, 0, longText + "end"));
        Assert.Equal(new string('\u4e2d', 1364) + "end", running.Output);
        Assert.Throws<ArgumentException>(() => RoundTrip(new ListBases(0, 4096, longText)));
        Assert.Throws<ArgumentException>(() => RoundTrip(new ListBases(0, 4096, "\udc00")));
    }

    [Fact]
    public void Values_that_make_no_sense_are_refused()
    {
        Message[] bad =
        [
            new Hello(Guid.Empty, 0, 0, 1000, "", ""),
            new ListBases(0, 4097, ""),
            new ListBases((1UL << 52) + 1, 4096, ""),
            new OpenImage("", 0, 4096, 0, 0, "", default, 0, ""),
            new OpenImage("a", 0, 4096, (OpenFlags)8, 0, "", default, 0, ""),
            new OpenImage("a", 0, 4096, 0, (BaseChoice)3, "", default, 0, ""),
            new MapRequest(default, 6, 0, 1),
            new MapRequest(default, 0, 0, 0),
            new MapData(0, 0, [new HashRun(65536, default), new HashRun(1, default)]),
            new SubHashRequest([2, 2]),
            new Abort((AbortCode)2, false, "", -1, "", ""),
            new Abort(AbortCode.Internal, false, "", -2, "", ""),
            new Prepare(Guid.Empty, 1, [], ""),
            new Prepare(Guid.Empty, 1, [new ImageRoot(1, WireSamples.HashOf(1)), new ImageRoot(1, WireSamples.HashOf(2))], ""),
            new Prepare(Guid.Empty, 1, [new ImageRoot(64, WireSamples.HashOf(1))], ""),
            new PrepareTail(Guid.Empty, 1, [], ""),
            new PrepareTail(Guid.Empty, 1, [new TailImage(1, WireSamples.HashOf(1), ""), new TailImage(1, WireSamples.HashOf(2), "")], ""),
            new PrepareTail(Guid.Empty, 1, [new TailImage(1, Codecs.Hash256.Unknown, "")], ""),
            new MissingBlocks(true, [new BlockSpan(0, 0)]),
            new MissingBlocks(true, [new BlockSpan(0, 2), new BlockSpan(2, 1)]),
            new MissingBlocks(true, [new BlockSpan(5, 1), new BlockSpan(1, 1)]),
            new MissingBlocks(true, [new BlockSpan(WireLimits.MaxBlocks - 1, 2)]),
            new TailStatus(Guid.Empty, (AttemptState)13, 0, 0),
            new Prepare(Guid.Empty, 1, [new ImageRoot(0, default)], ""),
            new Formats.Wire.Messages.Seal(1, default),
            new BlockRequest((1UL << 40) - 1, 2),
            new AttemptStatus(Guid.Empty, (AttemptState)13, 0),
            new Serve(Guid.Empty, 1, 64, ServeUse.Urgent),
            new Serve(Guid.Empty, 1, 0, (ServeUse)4),
        ];
        Assert.All(bad, message => Assert.Throws<FormatViolationException>(() => RoundTrip(message)));
    }

    private static Message RoundTrip(Message message) => Decode(FuzzMessages.Input(message));

    private static Message Decode(ReadOnlySpan<byte> input) =>
        MessageCodec.Decode((FrameType)BinaryPrimitives.ReadUInt16LittleEndian(input), input[2..]);

    private static ReadOnlySequence<byte> Split(ReadOnlyMemory<byte> bytes) => Segments.Of(bytes, 7);
}
