using System.Buffers;
using System.Buffers.Binary;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Formats.ExportControl;

/// <summary>Messages between an export and its borrower as bytes (FORMAT.md).</summary>
/// <remarks>Thread safe. Everything that comes in is validated here, once, and within the caps.</remarks>
public static class ControlCodec
{
    /// <summary>What stands before a message's body: its length and its type.</summary>
    public const int HeaderSize = sizeof(uint) + 1;

    /// <summary>The longest body in bytes.</summary>
    public const int MaxBody = 16 << 10;

    private const ushort Version = 1;
    private const string Name = "export control message";

    private static ReadOnlySpan<byte> Magic => "DSyncXpt"u8;

    /// <summary>Writes a message with its header.</summary>
    /// <exception cref="ArgumentException">It breaks a cap: a bug of the caller.</exception>
    public static byte[] Encode(ControlMessage message)
    {
        ArrayBufferWriter<byte> output = new(256);
        FieldWriter writer = new(output);
        writer.UInt32(0);
        writer.Byte(0);
        ControlType type = Write(message, writer);
        byte[] bytes = output.WrittenSpan.ToArray();
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)(bytes.Length - HeaderSize));
        bytes[sizeof(uint)] = (byte)type;
        return bytes;
    }

    /// <summary>Reads a header.</summary>
    /// <param name="header">The first <see cref="HeaderSize"/> bytes.</param>
    /// <returns>The length of the body that follows, at most <see cref="MaxBody"/>, and its type for <see cref="Decode"/>.</returns>
    /// <exception cref="FormatViolationException">The body would be too long.</exception>
    public static (int Length, byte Type) DecodeHeader(ReadOnlySpan<byte> header)
    {
        FieldReader reader = new(header, Name);
        int length = (int)reader.UInt32("length", 0, MaxBody);
        return (length, reader.Byte("type"));
    }

    /// <summary>Reads a message.</summary>
    /// <param name="type">Its type.</param>
    /// <param name="body">Its body; nothing of it is kept.</param>
    /// <exception cref="FormatViolationException">It is no message of this version.</exception>
    public static ControlMessage Decode(byte type, ReadOnlySpan<byte> body)
    {
        FieldReader reader = new(body, Name, HeaderSize);
        ControlMessage message = Read((ControlType)type, ref reader);
        reader.End();
        return message;
    }

    private static ControlType Write(ControlMessage message, FieldWriter writer)
    {
        switch (message)
        {
            case LendRequest request:
                writer.Bytes(Magic);
                writer.UInt16(Version);
                writer.Text(request.Borrower);
                return ControlType.LendRequest;
            case Lent lent:
                writer.Bytes(Magic);
                writer.UInt16(Version);
                writer.Name("image", lent.Image);
                writer.UInt64(lent.Length);
                writer.Hash(lent.Baseline);
                writer.UInt64(lent.BaselineEpoch);
                return ControlType.Lent;
            case TakeDirty take:
                writer.Byte((byte)take.Since);
                return ControlType.TakeDirty;
            case DirtyBits bits:
                DirtyBitsCodec.Write(bits, writer);
                return ControlType.DirtyBits;
            case DirtyEnd end:
                writer.UInt32(end.Chunks);
                return ControlType.DirtyEnd;
            case FenceWrites fence:
                writer.UInt32(fence.PatienceMs);
                return ControlType.FenceWrites;
            case Fenced fenced:
                writer.Bool(fenced.IsDrained);
                writer.UInt32(fenced.Held);
                return ControlType.Fenced;
            case ReleaseWrites:
                return ControlType.ReleaseWrites;
            case SlowWrites slow:
                writer.UInt64(slow.Rate);
                writer.UInt32(slow.CeilingMs);
                return ControlType.SlowWrites;
            case AskLoad:
                return ControlType.AskLoad;
            case Load load:
                WriteLoad(load, writer);
                return ControlType.Load;
            case Done:
                return ControlType.Done;
            case Refusal refusal:
                writer.Text(refusal.Message);
                writer.Text(refusal.Advice);
                return ControlType.Refusal;
            case OfferTail or AskTail or SetTail or TailState:
                return WriteTail(message, writer);
            default:
                throw new ArgumentException($"{message?.GetType().Name} has no codec", nameof(message));
        }
    }

    private static ControlMessage Read(ControlType type, ref FieldReader reader)
    {
        switch (type)
        {
            case ControlType.LendRequest:
                reader.Start(Magic, Version, Version);
                return new LendRequest(reader.Text("borrower"));
            case ControlType.Lent:
                reader.Start(Magic, Version, Version);
                return new Lent(
                    reader.Text("image"), reader.UInt64("length", 0, long.MaxValue), reader.Hash("baseline"), reader.UInt64("baseline epoch"));
            case ControlType.TakeDirty:
                return new TakeDirty((DirtySince)reader.Byte("since", (byte)DirtySince.LastTaken, (byte)DirtySince.Baseline));
            case ControlType.DirtyBits:
                return DirtyBitsCodec.Read(ref reader);
            case ControlType.DirtyEnd:
                return new DirtyEnd(reader.UInt32("chunks", 0, DirtyBits.MaxChunks));
            case ControlType.FenceWrites:
                return new FenceWrites(reader.UInt32("patience"));
            case ControlType.Fenced:
                return new Fenced(reader.Bool("drained"), reader.UInt32("held"));
            case ControlType.ReleaseWrites:
                return new ReleaseWrites();
            case ControlType.SlowWrites:
                return new SlowWrites(reader.UInt64("rate"), reader.UInt32("ceiling"));
            case ControlType.AskLoad:
                return new AskLoad();
            case ControlType.Load:
                return ReadLoad(ref reader);
            case ControlType.Done:
                return new Done();
            case ControlType.Refusal:
                return new Refusal(reader.Text("message"), reader.Text("advice"));
            case ControlType.OfferTail:
                reader.Start(Magic, Version, Version);
                return new OfferTail(
                    reader.Guid("attempt"),
                    reader.UInt64("epoch"),
                    (ServeUse)reader.Byte("use", (byte)ServeUse.Urgent, (byte)ServeUse.Hashes),
                    reader.Text("source"));
            case ControlType.AskTail:
                reader.Start(Magic, Version, Version);
                return new AskTail();
            case ControlType.SetTail:
                reader.Start(Magic, Version, Version);
                return new SetTail(reader.Bool("fail missing"));
            case ControlType.TailState:
                return new TailState(
                    reader.UInt64("missing", 0, long.MaxValue),
                    reader.UInt64("length", 0, long.MaxValue),
                    reader.UInt64("written", 0, long.MaxValue),
                    reader.Bool("linked"),
                    reader.Bool("fail missing"),
                    reader.Text("trouble"));
            default:
                throw new FormatViolationException(Name, sizeof(uint), $"type {(byte)type}", "a type of this version");
        }
    }

    private static ControlType WriteTail(ControlMessage message, FieldWriter writer)
    {
        if (message is TailState state)
        {
            writer.UInt64(state.Missing);
            writer.UInt64(state.Length);
            writer.UInt64(state.Written);
            writer.Bool(state.IsLinked);
            writer.Bool(state.FailMissing);
            writer.Text(state.Trouble);
            return ControlType.TailState;
        }

        writer.Bytes(Magic);
        writer.UInt16(Version);
        switch (message)
        {
            case OfferTail offer:
                writer.Guid(offer.Attempt);
                writer.UInt64(offer.Epoch);
                writer.Byte((byte)offer.Use);
                writer.Text(offer.Source);
                return ControlType.OfferTail;
            case SetTail set:
                writer.Bool(set.FailMissing);
                return ControlType.SetTail;
            default:
                return ControlType.AskTail;
        }
    }

    private static void WriteLoad(Load load, FieldWriter writer)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(load.Latencies.Length, Load.Buckets, nameof(load));
        writer.UInt64(load.Written);
        writer.UInt64(load.Dirty);
        foreach (long count in load.Latencies)
        {
            writer.Int64(count);
        }
    }

    private static Load ReadLoad(ref FieldReader reader)
    {
        ulong written = reader.UInt64("written");
        ulong dirty = reader.UInt64("dirty", 0, long.MaxValue);
        long[] latencies = new long[Load.Buckets];
        for (int i = 0; i < latencies.Length; i++)
        {
            latencies[i] = (long)reader.UInt64("latencies", 0, long.MaxValue);
        }

        return new Load(written, dirty, latencies);
    }
}
