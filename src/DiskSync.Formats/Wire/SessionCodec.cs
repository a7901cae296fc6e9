using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Formats.Wire;

/// <summary>The layouts of the messages that concern the whole session.</summary>
internal static class SessionCodec
{
    public static FrameType? TryWrite(Message message, FieldWriter writer)
    {
        switch (message)
        {
            case Hello hello:
                writer.Guid(hello.SessionId);
                writer.UInt16(hello.Connection);
                writer.UInt64(hello.Capabilities);
                writer.UInt32(hello.MaxBody);
                writer.Text(hello.Host);
                writer.Text(hello.Software);
                return FrameType.Hello;
            case Welcome welcome:
                writer.Guid(welcome.SessionId);
                writer.UInt64(welcome.Capabilities);
                writer.UInt32(welcome.MaxBody);
                writer.UInt32(welcome.Window);
                writer.Text(welcome.Host);
                writer.Text(welcome.Software);
                return FrameType.Welcome;
            case Progress progress:
                writer.Byte((byte)progress.Phase);
                writer.UInt64(progress.Done);
                writer.UInt64(progress.Total);
                return FrameType.Progress;
            case Ping ping:
                writer.UInt64(ping.Token);
                return FrameType.Ping;
            case Pong pong:
                writer.UInt64(pong.Token);
                return FrameType.Pong;
            case End end:
                writer.UInt64(end.FramesSent);
                return FrameType.End;
            case EndAck endAck:
                writer.UInt64(endAck.FramesReceived);
                return FrameType.EndAck;
            case Drain drain:
                writer.UInt16(drain.Connection);
                return FrameType.Drain;
            case Drained drained:
                writer.UInt16(drained.Connection);
                return FrameType.Drained;
            case Abort abort:
                writer.UInt16((ushort)abort.Code);
                writer.Bool(abort.AtDestination);
                writer.Text(abort.Image);
                writer.Int64(abort.Offset);
                writer.Text(abort.Reason);
                writer.Text(abort.Advice);
                return FrameType.Abort;
            default:
                return null;
        }
    }

    public static Message? TryRead(FrameType type, ref FieldReader reader) => type switch
    {
        FrameType.Hello => new Hello(
            reader.Guid("session"),
            reader.UInt16("connection"),
            reader.UInt64("capabilities"),
            reader.UInt32("largest body", WireLimits.MinMaxBody, uint.MaxValue),
            reader.Text("host"),
            reader.Text("software")),
        FrameType.Welcome => new Welcome(
            reader.Guid("session"),
            reader.UInt64("capabilities"),
            reader.UInt32("largest body", WireLimits.MinMaxBody, uint.MaxValue),
            reader.UInt32("window", 1, uint.MaxValue),
            reader.Text("host"),
            reader.Text("software")),
        FrameType.Progress => new Progress(
            (ProgressPhase)reader.Byte("phase", (byte)ProgressPhase.Hashing, (byte)ProgressPhase.Sealing),
            reader.UInt64("bytes done"),
            reader.UInt64("bytes in all")),
        FrameType.Ping => new Ping(reader.UInt64("token")),
        FrameType.Pong => new Pong(reader.UInt64("token")),
        FrameType.End => new End(reader.UInt64("frames sent")),
        FrameType.EndAck => new EndAck(reader.UInt64("frames received")),
        FrameType.Drain => new Drain(reader.UInt16("connection")),
        FrameType.Drained => new Drained(reader.UInt16("connection")),
        FrameType.Abort => new Abort(
            ReadCode(ref reader),
            reader.Bool("at destination"),
            reader.Text("image"),
            ReadOffset(ref reader),
            reader.Text("reason"),
            reader.Text("advice")),
        _ => null,
    };

    private static AbortCode ReadCode(ref FieldReader reader)
    {
        var code = (AbortCode)reader.UInt16("code");
        return Enum.IsDefined(code)
            ? code
            : throw reader.Violation($"{(ushort)code}", "an abort code of this version", sizeof(ushort));
    }

    private static long ReadOffset(ref FieldReader reader)
    {
        long offset = reader.Int64("offset");
        return offset >= -1 ? offset : throw reader.Violation($"{offset}", "an offset or -1", sizeof(long));
    }
}
