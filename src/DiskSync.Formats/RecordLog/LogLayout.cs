using System.Buffers;
using System.Buffers.Binary;
using DiskSync.Codecs;

namespace DiskSync.Formats.RecordLog;

/// <summary>What the transfer journal and the presence map have in common: a header, two head slots in turn, and chained records behind them.</summary>
/// <remarks>
/// What stands in the header and in a record's payload is each format's own (their FORMAT.md). Thread safe.
/// </remarks>
internal sealed class LogLayout
{
    /// <summary>Header and slots stand 4 KiB apart, so that no sector holds two of them.</summary>
    public const int PageSize = 4096;

    /// <summary>Where the first record stands.</summary>
    public const int RecordsAt = 3 * PageSize;

    /// <summary>The bytes of a head slot.</summary>
    public const int SlotSize = 36;

    /// <summary>The bytes of a chain value.</summary>
    public const int ChainSize = 16;

    /// <summary>Length, type and index before a record's payload.</summary>
    public const int RecordPrefix = 13;

    /// <summary>The fewest bytes of a record.</summary>
    public const int MinRecord = RecordPrefix + ChainSize;

    private readonly byte[] _chainKey = new byte[Hash256.Size];

    /// <param name="context">What the chain's key is derived from: no record of one format fits another.</param>
    /// <param name="maxRecord">The most bytes of a record.</param>
    public LogLayout(string context, int maxRecord)
    {
        Blake3.DeriveKey(context, [], _chainKey);
        MaxRecord = maxRecord;
    }

    /// <summary>The most bytes of a record.</summary>
    public int MaxRecord { get; }

    /// <summary>Where a head slot stands.</summary>
    public static long SlotOffset(int slot) => (1 + slot) * PageSize;

    /// <summary>Writes a head slot.</summary>
    /// <param name="head">The head.</param>
    /// <param name="headerCheck">The header's check, which binds the slot to its file.</param>
    /// <param name="slot">Where to.</param>
    public static void WriteSlot(LogHead head, ReadOnlySpan<byte> headerCheck, Span<byte> slot)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(slot, head.Count);
        BinaryPrimitives.WriteInt64LittleEndian(slot[8..], head.End);
        head.Chain.Span.CopyTo(slot[16..]);
        BinaryPrimitives.WriteUInt32LittleEndian(slot[32..], SlotCrc(headerCheck, slot));
    }

    /// <summary>Reads a head slot.</summary>
    /// <returns>Null where it was never written, or was torn or damaged.</returns>
    public static LogHead? ReadSlot(ReadOnlySpan<byte> slot, ReadOnlySpan<byte> headerCheck) =>
        BinaryPrimitives.ReadUInt32LittleEndian(slot[32..]) == SlotCrc(headerCheck, slot)
            ? new LogHead(
                BinaryPrimitives.ReadUInt64LittleEndian(slot), BinaryPrimitives.ReadInt64LittleEndian(slot[8..]), slot.Slice(16, ChainSize).ToArray())
            : null;

    /// <summary>The next chain value.</summary>
    public void NextChain(ReadOnlySpan<byte> previous, ReadOnlySpan<byte> bytes, Span<byte> next)
    {
        byte[] input = ArrayPool<byte>.Shared.Rent(previous.Length + bytes.Length);
        previous.CopyTo(input);
        bytes.CopyTo(input.AsSpan(previous.Length));
        Hash256 hash = Blake3.KeyedHash(_chainKey, input.AsSpan(0, previous.Length + bytes.Length));
        ArrayPool<byte>.Shared.Return(input);
        Span<byte> whole = stackalloc byte[Hash256.Size];
        hash.CopyTo(whole);
        whole[..ChainSize].CopyTo(next);
    }

    private static uint SlotCrc(ReadOnlySpan<byte> headerCheck, ReadOnlySpan<byte> slot) =>
        Crc32C.Append(Crc32C.Compute(headerCheck), slot[..(SlotSize - sizeof(uint))]);
}
