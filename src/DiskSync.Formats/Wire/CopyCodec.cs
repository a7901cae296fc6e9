using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Formats.Wire;

/// <summary>The layouts of the messages that go with a copy: acknowledgements, checkpoints, verification, sealing.</summary>
internal static class CopyCodec
{
    public static FrameType? TryWrite(Message message, FieldWriter writer)
    {
        switch (message)
        {
            case BatchAck ack:
                writer.UInt64(ack.Batch);
                writer.Count("refused", ack.Refused.Count, WireLimits.MaxBatchEntries);
                foreach (RefusedBlock refused in ack.Refused)
                {
                    writer.UInt64(refused.Block);
                    writer.Byte((byte)refused.Reason);
                }

                return FrameType.BatchAck;
            case Checkpoint checkpoint:
                writer.UInt64(checkpoint.Number);
                return FrameType.Checkpoint;
            case DurableAck ack:
                writer.UInt64(ack.Number);
                return FrameType.DurableAck;
            case Verify verify:
                writer.UInt64(verify.Number);
                return FrameType.Verify;
            case Verified verified:
                WriteVerified(verified, writer);
                return FrameType.Verified;
            case Messages.Seal seal:
                writer.UInt64(seal.Epoch);
                writer.Hash(seal.Root);
                return FrameType.Seal;
            case Sealed done:
                writer.Text(done.Path);
                return FrameType.Sealed;
            case BlockRequest request:
                writer.UInt64(request.First);
                writer.UInt32(request.Count);
                return FrameType.BlockRequest;
            case KeepRound keep:
                writer.UInt32(keep.Round);
                return FrameType.KeepRound;
            case RoundKept kept:
                writer.Hash(kept.Root);
                writer.Text(kept.Path);
                writer.Text(kept.Why);
                return FrameType.RoundKept;
            default:
                return null;
        }
    }

    public static Message? TryRead(FrameType type, ref FieldReader reader) => type switch
    {
        FrameType.BatchAck => ReadBatchAck(ref reader),
        FrameType.Checkpoint => new Checkpoint(reader.UInt64("number")),
        FrameType.DurableAck => new DurableAck(reader.UInt64("number")),
        FrameType.Verify => new Verify(reader.UInt64("number")),
        FrameType.Verified => ReadVerified(ref reader),
        FrameType.Seal => new Messages.Seal(reader.UInt64("epoch"), reader.KnownHash("root")),
        FrameType.Sealed => new Sealed(reader.Text("path")),
        FrameType.BlockRequest => ReadBlockRequest(ref reader),
        FrameType.KeepRound => new KeepRound(reader.UInt32("round", 1, uint.MaxValue)),
        FrameType.RoundKept => new RoundKept(reader.Hash("root"), reader.Text("path"), reader.Text("why not")),
        _ => null,
    };

    private static BatchAck ReadBatchAck(ref FieldReader reader)
    {
        ulong batch = reader.UInt64("batch");
        var refused = new RefusedBlock[reader.Count("refused", WireLimits.MaxBatchEntries, sizeof(ulong) + 1)];
        for (int i = 0; i < refused.Length; i++)
        {
            refused[i] = new RefusedBlock(
                reader.UInt64("block", 0, WireLimits.MaxBlocks - 1),
                (RefusalReason)reader.Byte("reason", (byte)RefusalReason.PatchMismatch, (byte)RefusalReason.SeedMismatch));
        }

        return new BatchAck(batch, refused);
    }

    private static void WriteVerified(Verified verified, FieldWriter writer)
    {
        writer.UInt64(verified.Number);
        writer.Hash(verified.Root);
        writer.UInt64(verified.BytesRead);
        writer.Count("wrong blocks", verified.Wrong.Count, WireLimits.MaxWrongBlocks);
        foreach (ulong block in verified.Wrong)
        {
            writer.UInt64(block);
        }

        writer.Bool(verified.More);
    }

    private static Verified ReadVerified(ref FieldReader reader)
    {
        ulong number = reader.UInt64("number");
        Codecs.Hash256 root = reader.Hash("root");
        ulong bytesRead = reader.UInt64("bytes read");
        var wrong = new ulong[reader.Count("wrong blocks", WireLimits.MaxWrongBlocks, sizeof(ulong))];
        for (int i = 0; i < wrong.Length; i++)
        {
            wrong[i] = reader.UInt64("block", 0, WireLimits.MaxBlocks - 1);
        }

        return new Verified(number, root, bytesRead, wrong, reader.Bool("more"));
    }

    private static BlockRequest ReadBlockRequest(ref FieldReader reader)
    {
        ulong first = reader.UInt64("first block", 0, WireLimits.MaxBlocks - 1);
        return new BlockRequest(first, reader.UInt32("count", 1, (uint)Math.Min(uint.MaxValue, WireLimits.MaxBlocks - first)));
    }
}
