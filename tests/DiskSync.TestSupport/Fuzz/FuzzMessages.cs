using System.Buffers;
using System.Buffers.Binary;
using DiskSync.Formats;
using DiskSync.Formats.Wire;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.TestSupport.Fuzz;

/// <summary>Fuzzes the layouts of the control messages. The input is a u16 frame type and the body.</summary>
public static class FuzzMessages
{
    /// <summary>One of each message.</summary>
    public static IReadOnlyList<byte[]> Seeds() => [.. WireSamples.Messages.Select(Input)];

    /// <summary>Decodes a body; what is accepted must encode to the very same bytes.</summary>
    public static void Run(ReadOnlySpan<byte> input)
    {
        if (input.Length < sizeof(ushort))
        {
            return;
        }

        var type = (FrameType)BinaryPrimitives.ReadUInt16LittleEndian(input);
        Message message;
        try
        {
            message = MessageCodec.Decode(type, input[sizeof(ushort)..]);
        }
        catch (FormatViolationException)
        {
            return;
        }

        if (!input.SequenceEqual(Input(message)))
        {
            throw new InvalidOperationException($"{type} was accepted in a form that is not the encoder's: {message}");
        }
    }

    /// <summary>The type and body of a message.</summary>
    public static byte[] Input(Message message)
    {
        var body = new ArrayBufferWriter<byte>();
        body.Write(new byte[sizeof(ushort)]);
        FrameType type = MessageCodec.Encode(message, body);
        byte[] input = body.WrittenSpan.ToArray();
        BinaryPrimitives.WriteUInt16LittleEndian(input, (ushort)type);
        return input;
    }
}
