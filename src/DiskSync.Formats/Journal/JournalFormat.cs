using System.Buffers;
using System.Buffers.Binary;
using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.RecordLog;

namespace DiskSync.Formats.Journal;

/// <summary>The layouts of a transfer journal's header, head slots and records (FORMAT.md).</summary>
internal static class JournalFormat
{
    public const string Name = "transfer journal";
    public const ushort Version = 1;

    public const int CheckedHeader = 48;
    public const int HeaderSize = CheckedHeader + Hash256.Size;
    private const ushort UnstoredIsZero = 1;
    private const byte SessionType = 1;
    private const byte WithdrawType = 2;
    private const byte CheckpointType = 3;
    private const byte NoteType = 4;

    /// <summary>Head slots and the chain of records.</summary>
    public static LogLayout Layout { get; } =
        new("DiskSync 2026 transfer journal chain v1", LogLayout.MinRecord + 16 + (JournalRecord.MaxRanges * 16));

    public static ReadOnlySpan<byte> Magic => "DSyncJrn"u8;

    public static void WriteHeader(TransferJournalHeader header, Span<byte> page)
    {
        page.Clear();
        Magic.CopyTo(page);
        BinaryPrimitives.WriteUInt16LittleEndian(page[8..], Version);
        BinaryPrimitives.WriteUInt16LittleEndian(page[10..], header.UnstoredIsZero ? UnstoredIsZero : (ushort)0);
        BinaryPrimitives.WriteInt32LittleEndian(page[12..], header.Geometry.Granularity);
        BinaryPrimitives.WriteInt64LittleEndian(page[16..], header.Geometry.Length);
        header.Id.TryWriteBytes(page[24..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt64LittleEndian(page[40..], header.CreatedMs);
        Blake3.Hash(page[..CheckedHeader]).CopyTo(page[CheckedHeader..]);
    }

    /// <summary>Reads a header whose magic and version are right.</summary>
    /// <returns>Null where the rest is not.</returns>
    public static TransferJournalHeader? ReadHeader(ReadOnlySpan<byte> page)
    {
        ushort flags = BinaryPrimitives.ReadUInt16LittleEndian(page[10..]);
        uint granularity = BinaryPrimitives.ReadUInt32LittleEndian(page[12..]);
        long length = BinaryPrimitives.ReadInt64LittleEndian(page[16..]);
        return Blake3.Hash(page[..CheckedHeader]) == new Hash256(page[CheckedHeader..])
            && flags <= UnstoredIsZero
            && !page[HeaderSize..LogLayout.PageSize].ContainsAnyExcept((byte)0)
            && BlockGeometry.TryCreate(length, granularity, out BlockGeometry geometry)
            ? new TransferJournalHeader(
                geometry,
                new Guid(page.Slice(24, 16), bigEndian: true),
                BinaryPrimitives.ReadInt64LittleEndian(page[40..]),
                flags == UnstoredIsZero)
            : null;
    }

    /// <summary>Reads a head slot.</summary>
    /// <returns>Null where it was never written, or was torn or damaged.</returns>
    public static LogHead? ReadSlot(ReadOnlySpan<byte> page, ReadOnlySpan<byte> headerCheck) =>
        LogLayout.ReadSlot(page, headerCheck) is { } head
            && head.End >= LogLayout.RecordsAt
            && !page[LogLayout.SlotSize..LogLayout.PageSize].ContainsAnyExcept((byte)0)
            ? head
            : null;

    /// <summary>Writes a record with its chain value.</summary>
    public static byte[] WriteRecord(JournalRecord record, ulong index, ReadOnlySpan<byte> previousChain, long regions)
    {
        var output = new ArrayBufferWriter<byte>(256);
        var writer = new FieldWriter(output);
        writer.UInt32(0);
        writer.Byte(TypeOf(record));
        writer.UInt64(index);
        switch (record)
        {
            case JournalSession session:
                writer.UInt64(session.Fence);
                writer.Guid(session.SessionId);
                break;
            case JournalWithdraw withdraw:
                JournalRanges.Write(writer, withdraw.Regions, regions);
                break;
            case JournalCheckpoint checkpoint:
                writer.Bool(checkpoint.ReadBack);
                JournalRanges.Write(writer, checkpoint.Regions, regions);
                break;
            case JournalNote note:
                writer.Name("base used", note.BaseUsed);
                writer.Hash(note.BaseRoot);
                break;
        }

        byte[] bytes = new byte[output.WrittenCount + LogLayout.ChainSize];
        output.WrittenSpan.CopyTo(bytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes, bytes.Length);
        Layout.NextChain(previousChain, bytes.AsSpan(0, output.WrittenCount), bytes.AsSpan(output.WrittenCount));
        return bytes;
    }

    /// <summary>Reads a record whose chain value was right.</summary>
    /// <param name="bytes">The record.</param>
    /// <param name="origin">Its offset, for messages.</param>
    /// <param name="regions">How many regions the image has.</param>
    public static JournalRecord ReadRecord(ReadOnlySpan<byte> bytes, long origin, long regions)
    {
        var reader = new FieldReader(bytes[..^LogLayout.ChainSize], Name, origin);
        reader.Bytes("length", sizeof(uint));
        byte type = reader.Byte("type");
        reader.UInt64("index");
        JournalRecord record = type switch
        {
            SessionType => new JournalSession(reader.UInt64("fence"), reader.Guid("session")),
            WithdrawType => new JournalWithdraw(JournalRanges.Read(ref reader, regions)),
            CheckpointType => ReadCheckpoint(ref reader, regions),
            NoteType => new JournalNote(reader.Text("base used"), reader.Hash("base root")),
            _ => throw reader.Violation($"record type {type}", "a type of this version"),
        };
        reader.End();
        return record;
    }

    private static JournalCheckpoint ReadCheckpoint(ref FieldReader reader, long regions)
    {
        bool readBack = reader.Bool("read back");
        return new JournalCheckpoint(JournalRanges.Read(ref reader, regions), readBack);
    }

    private static byte TypeOf(JournalRecord record) => record switch
    {
        JournalSession => SessionType,
        JournalWithdraw => WithdrawType,
        JournalCheckpoint => CheckpointType,
        JournalNote => NoteType,
        _ => throw new ArgumentException($"{record.GetType().Name} has no layout", nameof(record)),
    };
}
