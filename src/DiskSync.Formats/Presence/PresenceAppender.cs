using System.Buffers.Binary;
using DiskSync.Formats.RecordLog;

namespace DiskSync.Formats.Presence;

/// <summary>Turns what has become present into the bytes that append it to a map, and says where they go.</summary>
/// <remarks>Writes nothing itself. One for a map; the order of calls is the order of writes. Not thread safe.</remarks>
public sealed class PresenceAppender
{
    private readonly PresenceState _state;
    private readonly byte[] _headerCheck;

    /// <summary>Goes on where a map that was read ends.</summary>
    /// <param name="state">What reading it gave; the appender takes it over.</param>
    public PresenceAppender(PresenceState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        _state = state;
        byte[] page = new byte[LogLayout.PageSize];
        PresenceFormat.WriteHeader(state.Header, page);
        _headerCheck = page[PresenceFormat.CheckedHeader..PresenceFormat.HeaderSize];
    }

    /// <summary>The most ranges of a record.</summary>
    public static int MostRanges => PresenceFormat.MaxRanges;

    /// <summary>The most parts of a record of bits.</summary>
    public static int MostBits => PresenceFormat.MaxBits;

    /// <summary>What the map is about.</summary>
    public PresenceHeader Header => _state.Header;

    /// <summary>Where the map ends, in bytes.</summary>
    public long EndOffset => _state.EndOffset;

    /// <summary>How many bytes its records take.</summary>
    public long RecordBytes => _state.EndOffset - LogLayout.RecordsAt;

    /// <summary>Makes a new map, of which nothing is present.</summary>
    /// <param name="header">What it is about; give every map a new random id.</param>
    /// <param name="file">The whole file.</param>
    public static PresenceAppender Create(PresenceHeader header, out byte[] file)
    {
        ArgumentNullException.ThrowIfNull(header);
        ArgumentOutOfRangeException.ThrowIfLessThan(header.Length, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(header.Length, PresenceFormat.MaxLength);
        file = new byte[LogLayout.RecordsAt];
        PresenceFormat.WriteHeader(header, file.AsSpan(0, LogLayout.PageSize));
        PresenceState state = new(header, file.AsSpan(0, PresenceFormat.CheckedHeader)) { NextSlot = 1 };
        PresenceAppender appender = new(state);
        LogLayout.WriteSlot(state.Head(), appender._headerCheck, file.AsSpan((int)LogLayout.SlotOffset(0)));
        return appender;
    }

    /// <summary>Appends ranges.</summary>
    /// <param name="ranges">From 1 to <see cref="MostRanges"/>, ascending, none overlaps, all within the image.</param>
    /// <exception cref="ArgumentException">They are not so: a bug of the caller; nothing has changed.</exception>
    public PresenceWrite Append(ReadOnlySpan<PresenceRange> ranges)
    {
        byte[] record = new byte[LogLayout.MinRecord + sizeof(uint) + (ranges.Length * PresenceFormat.RangeSize)];
        Span<byte> at = record.AsSpan(LogLayout.RecordPrefix);
        BinaryPrimitives.WriteInt32LittleEndian(at, ranges.Length);
        at = at[sizeof(uint)..];
        foreach (PresenceRange range in ranges)
        {
            BinaryPrimitives.WriteInt64LittleEndian(at, range.First);
            BinaryPrimitives.WriteInt64LittleEndian(at[8..], range.Count);
            at = at[PresenceFormat.RangeSize..];
        }

        return Append(record, PresenceFormat.RangesType);
    }

    /// <summary>Appends bits.</summary>
    /// <param name="first">The part of the first bit.</param>
    /// <param name="count">How many parts, at most <see cref="MostBits"/>.</param>
    /// <param name="bits">Bit i of byte i/8, lowest first; 1 for present, 0 past the count.</param>
    /// <exception cref="ArgumentException">They are not so: a bug of the caller; nothing has changed.</exception>
    public PresenceWrite AppendBits(long first, int count, ReadOnlySpan<byte> bits)
    {
        byte[] record = new byte[LogLayout.MinRecord + sizeof(ulong) + sizeof(uint) + bits.Length];
        Span<byte> at = record.AsSpan(LogLayout.RecordPrefix);
        BinaryPrimitives.WriteInt64LittleEndian(at, first);
        BinaryPrimitives.WriteInt32LittleEndian(at[8..], count);
        bits.CopyTo(at[12..]);
        return Append(record, PresenceFormat.BitsType);
    }

    /// <summary>The head slot that counts everything appended so far; to be written once that is durable.</summary>
    public PresenceWrite Slot()
    {
        byte[] slot = new byte[LogLayout.SlotSize];
        LogLayout.WriteSlot(_state.Head(), _headerCheck, slot);
        long at = LogLayout.SlotOffset(_state.NextSlot);
        _state.NextSlot ^= 1;
        return new PresenceWrite(at, slot);
    }

    private PresenceWrite Append(byte[] record, byte type)
    {
        BinaryPrimitives.WriteInt32LittleEndian(record, record.Length);
        record[4] = type;
        BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(5), _state.RecordCount);
        try
        {
            // What a reader would refuse is never written.
            PresenceFormat.ReadRecord(record, _state.EndOffset, _state.Header.PartCount, _ => { });
        }
        catch (FormatViolationException exception)
        {
            throw new ArgumentException(exception.Message, nameof(record), exception);
        }

        int chainAt = record.Length - LogLayout.ChainSize;
        PresenceFormat.Layout.NextChain(_state.Chain, record.AsSpan(0, chainAt), record.AsSpan(chainAt));
        long offset = _state.EndOffset;
        _state.Add(record);
        return new PresenceWrite(offset, record);
    }
}
