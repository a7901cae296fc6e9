using System.Buffers;
using System.Buffers.Binary;
using DiskSync.Codecs;
using DiskSync.Formats.RecordLog;

namespace DiskSync.Formats.Presence;

/// <summary>The layouts of a presence map's header, head slots and records (FORMAT.md).</summary>
internal static class PresenceFormat
{
    public const string Name = "presence map";
    public const ushort Version = 1;
    public const int CheckedHeader = 104;
    public const int HeaderSize = CheckedHeader + Hash256.Size;
    public const int MaxRanges = 32768;
    public const int MaxBits = 32768;
    public const int RangeSize = 16;
    public const byte RangesType = 1;
    public const byte BitsType = 2;

    // The longest image that DiskSync knows, 4 PiB.
    public const long MaxLength = 1L << 52;

    /// <summary>Head slots and the chain of records.</summary>
    public static LogLayout Layout { get; } =
        new("DiskSync 2026 presence map chain v1", LogLayout.MinRecord + 16 + (MaxRanges * RangeSize));

    public static ReadOnlySpan<byte> Magic => "DSyncPrs"u8;

    public static void WriteHeader(PresenceHeader header, Span<byte> page)
    {
        page.Clear();
        Magic.CopyTo(page);
        BinaryPrimitives.WriteUInt16LittleEndian(page[8..], Version);
        BinaryPrimitives.WriteInt32LittleEndian(page[12..], PresenceHeader.PartSize);
        BinaryPrimitives.WriteInt64LittleEndian(page[16..], header.Length);
        header.Id.TryWriteBytes(page[24..], bigEndian: true, out _);
        header.Attempt.TryWriteBytes(page[40..], bigEndian: true, out _);
        BinaryPrimitives.WriteUInt64LittleEndian(page[56..], header.Epoch);
        header.Root.CopyTo(page[64..]);
        BinaryPrimitives.WriteInt64LittleEndian(page[96..], header.CreatedMs);
        Blake3.Hash(page[..CheckedHeader]).CopyTo(page[CheckedHeader..]);
    }

    /// <exception cref="FormatViolationException">It is none, or damaged.</exception>
    public static PresenceHeader ReadHeader(ReadOnlySpan<byte> page)
    {
        FieldReader reader = new(page[..HeaderSize], Name);
        reader.Start(Magic, Version, Version);
        reader.CheckEnd(HeaderSize);
        if (reader.UInt16("flags") != 0)
        {
            throw reader.Violation("flags", "none, as this program knows none", sizeof(ushort));
        }

        reader.UInt32("bytes of a part", PresenceHeader.PartSize, PresenceHeader.PartSize);
        long length = (long)reader.UInt64("length", 1, MaxLength);
        Guid id = reader.Guid("map id");
        Guid attempt = reader.Guid("attempt");
        ulong epoch = reader.UInt64("epoch");
        Hash256 root = reader.Hash("root");
        return new PresenceHeader(length, id, attempt, epoch, root, reader.Int64("created"));
    }

    /// <summary>Says what a record calls present; its length, index and chain are right already.</summary>
    /// <exception cref="FormatViolationException">It breaks a rule all the same.</exception>
    public static void ReadRecord(ReadOnlySpan<byte> record, long origin, long partCount, Action<PresenceRange> present)
    {
        FieldReader reader = new(record[..^LogLayout.ChainSize], Name, origin);
        reader.UInt32("length");
        byte type = reader.Byte("type", RangesType, BitsType);
        reader.UInt64("index");
        if (type == RangesType)
        {
            ReadRanges(ref reader, partCount, present);
        }
        else
        {
            ReadBits(ref reader, partCount, present);
        }

        reader.End();
    }

    private static void ReadRanges(ref FieldReader reader, long partCount, Action<PresenceRange> present)
    {
        int count = reader.Count("ranges", MaxRanges, RangeSize);
        if (count == 0)
        {
            throw reader.Violation("no range", "at least one", sizeof(uint));
        }

        long next = 0;
        for (int i = 0; i < count; i++)
        {
            long first = (long)reader.UInt64("first part", (ulong)next, (ulong)(partCount - 1));
            long parts = (long)reader.UInt64("count", 1, (ulong)(partCount - first));
            present(new PresenceRange(first, parts));

            // The last may end where no other can begin, and then no other may follow.
            next = first + parts;
            if (next == partCount && i + 1 < count)
            {
                throw reader.Violation("another range", "none after the image's last part");
            }
        }
    }

    private static void ReadBits(ref FieldReader reader, long partCount, Action<PresenceRange> present)
    {
        long first = (long)reader.UInt64("first part", 0, (ulong)(partCount - 1));
        int count = (int)reader.UInt32("count", 1, (uint)Math.Min(MaxBits, partCount - first));
        ReadOnlySpan<byte> bits = reader.Bytes("bits", (count + 7) / 8);
        if (count % 8 != 0 && bits[^1] >> (count % 8) != 0)
        {
            throw reader.Violation("bits past the count", "zeros", 1);
        }

        int run = -1;
        for (int i = 0; i <= count; i++)
        {
            bool isSet = i < count && (bits[i >> 3] >> (i & 7) & 1) != 0;
            if (isSet && run < 0)
            {
                run = i;
            }
            else if (!isSet && run >= 0)
            {
                present(new PresenceRange(first + run, i - run));
                run = -1;
            }
        }
    }
}
