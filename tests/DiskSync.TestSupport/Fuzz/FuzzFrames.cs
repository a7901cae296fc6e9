using System.Buffers;
using System.Buffers.Binary;
using DiskSync.Formats;
using DiskSync.Formats.Wire;

namespace DiskSync.TestSupport.Fuzz;

/// <summary>Fuzzes the framing and, through it, every message.</summary>
public static class FuzzFrames
{
    /// <summary>Valid streams of frames.</summary>
    public static IReadOnlyList<byte[]> Seeds()
    {
        var all = new ArrayBufferWriter<byte>();
        var writer = new FrameWriter();
        foreach (Formats.Wire.Messages.Message message in WireSamples.Messages)
        {
            writer.Write(all, 0, message);
        }

        return [all.WrittenSpan.ToArray(), WireSamples.BlocksFrame(small: true), .. WireSamples.Messages.Select(m => WireSamples.FrameOf(m))];
    }

    /// <summary>Reads frames to the end.</summary>
    public static void Run(ReadOnlySpan<byte> input)
    {
        var buffer = new ReadOnlySequence<byte>(input.ToArray());
        var reader = new FrameReader();
        try
        {
            while (reader.TryRead(ref buffer, out Frame frame))
            {
                if (frame.Type == FrameType.Blocks)
                {
                    FuzzBlocks.Run(frame.Body.ToArray());
                }
                else
                {
                    MessageCodec.Decode(frame.Type, frame.Body);
                }
            }
        }
        catch (FormatViolationException)
        {
            // Refused, as it should be.
        }
    }

    /// <summary>Makes sequence numbers and CRCs of all whole frames right.</summary>
    public static void Repair(byte[] input)
    {
        ArgumentNullException.ThrowIfNull(input);
        Span<byte> rest = input;
        for (uint sequence = 0; rest.Length >= FrameHeader.Size; sequence++)
        {
            FrameHeader header = FrameHeader.Read(rest);
            BinaryPrimitives.WriteUInt32LittleEndian(rest[8..], sequence);
            if (header.Length > rest.Length - FrameHeader.Size)
            {
                return;
            }

            int covered = (int)header.Length;
            if (header.Type == FrameType.Blocks && covered >= 24)
            {
                int entries = BinaryPrimitives.ReadUInt16LittleEndian(rest[(FrameHeader.Size + 20)..]);
                covered = (int)Math.Min(24 + (entries * 56L), covered);
            }

            uint crc = Crc32C.Append(Crc32C.Compute(rest[..12]), rest.Slice(FrameHeader.Size, covered));
            BinaryPrimitives.WriteUInt32LittleEndian(rest[12..], crc);
            rest = rest[(FrameHeader.Size + (int)header.Length)..];
        }
    }
}
