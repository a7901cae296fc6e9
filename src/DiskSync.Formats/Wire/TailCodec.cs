using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Formats.Wire;

/// <summary>The layouts of the messages by which a connection becomes one of an on-demand tail.</summary>
internal static class TailCodec
{
    public static FrameType? TryWrite(Message message, FieldWriter writer)
    {
        switch (message)
        {
            case Serve serve:
                writer.Guid(serve.Attempt);
                writer.UInt64(serve.Epoch);
                writer.UInt16(serve.Place);
                writer.Byte((byte)serve.Use);
                return FrameType.Serve;
            case Serving serving:
                writer.Guid(serving.Attempt);
                writer.UInt64(serving.Epoch);
                return FrameType.Serving;
            default:
                return null;
        }
    }

    public static Message? TryRead(FrameType type, ref FieldReader reader) => type switch
    {
        FrameType.Serve => new Serve(
            reader.Guid("attempt"), reader.UInt64("epoch"), ReadPlace(ref reader), (ServeUse)reader.Byte("use", (byte)ServeUse.Urgent, (byte)ServeUse.Hashes)),
        FrameType.Serving => new Serving(reader.Guid("attempt"), reader.UInt64("epoch")),
        _ => null,
    };

    private static ushort ReadPlace(ref FieldReader reader)
    {
        ushort place = reader.UInt16("place");
        return WireLimits.IsImage(place)
            ? place
            : throw reader.Violation($"place {place}", $"below {WireLimits.MaxImages}", sizeof(ushort));
    }
}
