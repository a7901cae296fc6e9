using System.Buffers;
using System.Text;
using DiskSync.Formats.Wire;
using DiskSync.Formats.Wire.Messages;
using DiskSync.TestSupport.Fuzz;

namespace DiskSync.Formats.Tests.Wire;

public sealed class FrameTests
{
    [Fact]
    public void The_check_is_CRC_32C()
    {
        byte[] digits = "123456789"u8.ToArray();
        Assert.Equal(0xE3069283u, Crc32C.Compute(digits));
        Assert.Equal(0x8A9136AAu, Crc32C.Compute(new byte[32]));
        Assert.Equal(0xE3069283u, Crc32C.Append(Crc32C.Compute(digits.AsSpan(0, 4)), digits.AsSpan(4)));
        Assert.Equal(0xE3069283u, Crc32C.Append(0, Segments.Of(digits, 2)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(4096)]
    public void Frames_are_read_whole_however_they_arrive(int segment)
    {
        byte[] stream = FuzzFrames.Seeds()[0];
        var reader = new FrameReader();
        var types = new List<Type>();
        int consumed = 0;
        for (int arrived = 0; arrived <= stream.Length; arrived += segment == 4096 ? stream.Length : 1)
        {
            ReadOnlySequence<byte> buffer = Segments.Of(stream.AsMemory(consumed, arrived - consumed), segment);
            while (reader.TryRead(ref buffer, out Frame frame))
            {
                types.Add(MessageCodec.Decode(frame.Type, frame.Body).GetType());
                consumed = arrived - (int)buffer.Length;
            }

            Assert.True(reader.Needed > buffer.Length, $"{reader.Needed} bytes are to be waited for, and {buffer.Length} are there");
        }

        Assert.Equal(WireSamples.Messages.Select(m => m.GetType()), types);
        Assert.Equal((ulong)types.Count, reader.FramesRead);
    }

    [Fact]
    public void A_frame_with_any_bit_flipped_is_never_taken_for_a_frame()
    {
        foreach (Message message in WireSamples.Messages)
        {
            byte[] frame = WireSamples.FrameOf(message);
            for (int bit = 0; bit < frame.Length * 8; bit++)
            {
                frame[bit / 8] ^= (byte)(1 << (bit % 8));
                Assert.False(Accepts(frame), $"{message}, bit {bit}");
                frame[bit / 8] ^= (byte)(1 << (bit % 8));
            }
        }
    }

    [Fact]
    public void A_frame_cut_off_at_any_byte_is_not_a_frame()
    {
        byte[] frame = WireSamples.BlocksFrame(small: true);
        for (int length = 0; length < frame.Length; length++)
        {
            Assert.False(Accepts(frame[..length]));
        }
    }

    [Fact]
    public void A_body_over_the_cap_is_refused_from_its_header_alone()
    {
        byte[] header = new byte[FrameHeader.Size];
        new FrameHeader(WireLimits.MaxBody + 1, FrameType.Ping, FrameHeader.NoImage, 0, 0).Write(header);
        FormatViolationException e = Refused(header, new FrameReader());
        Assert.Contains($"{WireLimits.MaxBody + 1}", e.Message, StringComparison.Ordinal);
        new FrameHeader(WireLimits.MinMaxBody + 1, FrameType.Ping, FrameHeader.NoImage, 0, 0).Write(header);
        Refused(header, new FrameReader(WireLimits.MinMaxBody));
    }

    [Fact]
    public void A_frame_out_of_sequence_is_refused()
    {
        byte[] frame = WireSamples.FrameOf(new Ping(1));
        Assert.Contains("sequence number 0", Refused([.. frame, .. frame], new FrameReader()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(FrameType.Ping, 64)]
    [InlineData(FrameType.Ping, 0xFFFE)]
    [InlineData(FrameType.OpenImage, 0xFFFF)]
    [InlineData(FrameType.Blocks, 0xFFFF)]
    public void An_image_index_that_cannot_be_is_refused(FrameType type, ushort image)
    {
        byte[] header = new byte[FrameHeader.Size];
        new FrameHeader(100, type, image, 0, 0).Write(header);
        Refused(header, new FrameReader());
    }

    [Fact]
    public void A_message_that_needs_an_image_is_not_written_without()
    {
        var output = new ArrayBufferWriter<byte>();
        Assert.Throws<ArgumentException>(() => new FrameWriter().Write(output, FrameHeader.NoImage, new Verify(1)));
        Assert.Throws<ArgumentException>(() => new FrameWriter().Write(output, 64, new Ping(1)));
        Assert.Equal(0, output.WrittenCount);
    }

    [Fact]
    public void A_body_larger_than_the_peer_accepts_is_not_written()
    {
        var writer = new FrameWriter { MaxBody = WireLimits.MinMaxBody };
        var output = new ArrayBufferWriter<byte>();
        var map = new MapData(0, 0, [.. Enumerable.Repeat(new HashRun(1, default), 2000)]);
        Assert.Throws<ArgumentException>(() => writer.Write(output, 0, map));
        Assert.Equal(0ul, writer.FramesWritten);
        writer.MaxBody = WireLimits.MaxBody;
        writer.Write(output, 0, map);
        Assert.Equal(1ul, writer.FramesWritten);
    }

    [Fact]
    public void The_largest_answers_fit_a_frame()
    {
        var writer = new FrameWriter();
        var output = new ArrayBufferWriter<byte>();
        writer.Write(output, 0, new MapData(0, 0, [.. Enumerable.Repeat(new HashRun(1, default), WireLimits.MaxMapNodes)]));
        ulong[] prefixes = new ulong[WireLimits.MaxSubHashes / WireLimits.MaxSubHashBlocks];
        writer.Write(output, 0, new SubHashes([.. Enumerable.Range(0, WireLimits.MaxSubHashBlocks).Select(b => new BlockSubHashes((ulong)b, prefixes))]));
        string name = new('n', WireLimits.MaxText);
        writer.Write(output, 0, new Bases([.. Enumerable.Repeat(new BaseOffer(name, 1, default, 0), WireLimits.MaxBases)]));
        Assert.Equal(3ul, writer.FramesWritten);
    }

    [Fact]
    public void An_end_counts_itself_whatever_came_in_between()
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new FrameWriter();
        writer.Write(output, 0, new Ping(1));
        var end = new End(writer.FramesWritten + 1);
        writer.Write(output, 0, new Ping(2));
        writer.Write(output, 0, end);
        var buffer = new ReadOnlySequence<byte>(output.WrittenMemory);
        var reader = new FrameReader();
        Frame last = default;
        while (reader.TryRead(ref buffer, out Frame frame))
        {
            last = frame;
        }

        Assert.Equal(new End(3), MessageCodec.Decode(last.Type, last.Body));
    }

    [Fact]
    public void Reading_frames_allocates_nothing()
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new FrameWriter();
        for (int i = 0; i < 200; i++)
        {
            writer.Write(output, 0, new Ping(1));
        }

        var reader = new FrameReader();
        var buffer = new ReadOnlySequence<byte>(output.WrittenMemory);
        reader.TryRead(ref buffer, out _);
        long before = GC.GetAllocatedBytesForCurrentThread();
        while (reader.TryRead(ref buffer, out _))
        {
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(200ul, reader.FramesRead);
    }

    [Fact]
    public void A_preamble_has_the_bytes_of_its_golden_file()
    {
        var output = new ArrayBufferWriter<byte>();
        Preamble.Write(output);
        Golden.Check("wire-preamble.bin", output.WrittenSpan.ToArray());
        var buffer = new ReadOnlySequence<byte>(Golden.Read("wire-preamble.bin").Concat("next"u8.ToArray()).ToArray());
        Assert.True(Preamble.TryRead(ref buffer, out ushort minor));
        Assert.Equal(0, minor);
        Assert.Equal("next", Encoding.ASCII.GetString(buffer.ToArray()));
    }

    [Fact]
    public void A_preamble_that_has_not_arrived_whole_is_waited_for()
    {
        byte[] golden = Golden.Read("wire-preamble.bin");
        for (int length = 0; length < golden.Length; length++)
        {
            var buffer = new ReadOnlySequence<byte>(golden[..length]);
            Assert.False(Preamble.TryRead(ref buffer, out _));
        }
    }

    [Theory]
    [InlineData("Permission denied (publickey).\r\n", "Permission denied (publickey).")]
    [InlineData("Welcome to host!\nDiskSync", "Welcome to host! DiskSync")]
    [InlineData("DiskSink", "DiskSink")]
    [InlineData("\0\u0001", "..")]
    public void A_banner_instead_of_a_preamble_is_shown(string banner, string shown)
    {
        FormatViolationException e = Assert.Throws<FormatViolationException>(() => ReadPreamble(Encoding.Latin1.GetBytes(banner)));
        Assert.Contains(shown, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_major_version_is_refused_and_a_higher_minor_one_is_not()
    {
        byte[] other = Golden.Read("wire-preamble.bin");
        other[10] = 9;
        Assert.True(ReadPreamble(other));
        other[8] = 2;
        Assert.Contains("version 2", Assert.Throws<FormatViolationException>(() => ReadPreamble(other)).Message, StringComparison.Ordinal);
    }

    private static bool ReadPreamble(byte[] bytes)
    {
        var buffer = new ReadOnlySequence<byte>(bytes);
        return Preamble.TryRead(ref buffer, out _);
    }

    private static FormatViolationException Refused(byte[] bytes, FrameReader reader) =>
        Assert.Throws<FormatViolationException>(() =>
        {
            var buffer = new ReadOnlySequence<byte>(bytes);
            while (reader.TryRead(ref buffer, out _))
            {
            }
        });

    private static bool Accepts(byte[] bytes)
    {
        var buffer = new ReadOnlySequence<byte>(bytes);
        try
        {
            return new FrameReader().TryRead(ref buffer, out _);
        }
        catch (FormatViolationException)
        {
            return false;
        }
    }
}
