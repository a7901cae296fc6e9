using System.Buffers;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Formats.Wire;

/// <summary>Turns control messages into frame bodies and back.</summary>
/// <remarks>
/// The one place where what a peer says is validated (safety rule 11): a message that was decoded is within all
/// caps of <see cref="WireLimits"/>, its text is UTF-8, its enumeration values are known, its geometry is valid.
/// What it means for a session (order, known attempt, existing image) is for whoever handles it. Every layout is
/// strict: bytes after the last field are refused, so a new field needs a new type or a capability. Thread safe.
/// </remarks>
public static class MessageCodec
{
    /// <summary>Writes a message's body.</summary>
    /// <param name="message">The message.</param>
    /// <param name="output">Where to.</param>
    /// <returns>The frame type that goes with the body.</returns>
    /// <exception cref="ArgumentException">The message breaks a cap: a bug of the caller. Text for people is shortened instead.</exception>
    public static FrameType Encode(Message message, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(message);
        ArgumentNullException.ThrowIfNull(output);
        var writer = new FieldWriter(output);
        return SessionCodec.TryWrite(message, writer)
            ?? ImageCodec.TryWrite(message, writer)
            ?? MapCodec.TryWrite(message, writer)
            ?? CopyCodec.TryWrite(message, writer)
            ?? HandOverCodec.TryWrite(message, writer)
            ?? TailHandOverCodec.TryWrite(message, writer)
            ?? CheckCodec.TryWrite(message, writer)
            ?? TailCodec.TryWrite(message, writer)
            ?? throw new ArgumentException($"{message.GetType().Name} has no codec", nameof(message));
    }

    /// <summary>Reads a message's body.</summary>
    /// <param name="type">The frame's type; <see cref="FrameType.Blocks"/> is not a message and is refused here.</param>
    /// <param name="body">The frame's body; nothing of it is kept.</param>
    /// <exception cref="FormatViolationException">The type is unknown or the body is not what the type asks for.</exception>
    public static Message Decode(FrameType type, in ReadOnlySequence<byte> body)
    {
        if (body.IsSingleSegment)
        {
            return Decode(type, body.FirstSpan);
        }

        // The bytes are all here, so renting by their number allocates by nothing the peer merely claims.
        int length = checked((int)body.Length);
        byte[] rented = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            body.CopyTo(rented);
            return Decode(type, rented.AsSpan(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <inheritdoc cref="Decode(FrameType, in ReadOnlySequence{byte})"/>
    public static Message Decode(FrameType type, ReadOnlySpan<byte> body)
    {
        if (!Enum.IsDefined(type) || type == FrameType.Blocks)
        {
            throw new FormatViolationException("wire frame", 4, $"type 0x{(ushort)type:x2}", "a message type of this version");
        }

        var reader = new FieldReader(body, $"wire {type}");
        Message message = SessionCodec.TryRead(type, ref reader)
            ?? ImageCodec.TryRead(type, ref reader)
            ?? MapCodec.TryRead(type, ref reader)
            ?? CopyCodec.TryRead(type, ref reader)
            ?? HandOverCodec.TryRead(type, ref reader)
            ?? TailHandOverCodec.TryRead(type, ref reader)
            ?? CheckCodec.TryRead(type, ref reader)
            ?? TailCodec.TryRead(type, ref reader)
            ?? throw new InvalidOperationException($"{type} has no codec");
        reader.End();
        return message;
    }
}
