using System.Buffers.Binary;

namespace DiskSync.Formats.Presence;

/// <summary>Reads a presence map (FORMAT.md).</summary>
/// <remarks>
/// A file cut off anywhere or with any bit flipped either gives what the intact one gives, or less by records that no answer
/// waited for, or is refused. Memory is one record. Thread safe.
/// </remarks>
public static class PresenceReader
{
    /// <summary>Reads a map.</summary>
    /// <param name="stream">Where from: forward to its end; stays open. What the stream throws is passed on.</param>
    /// <param name="begin">Told what the map is about; what it returns is told the parts that are present, a run at a time. Of no worth where this throws.</param>
    /// <returns>Where it ends.</returns>
    /// <exception cref="FormatViolationException">It is no map, or is damaged: what it says of the image is not known.</exception>
    public static PresenceState Read(Stream stream, Func<PresenceHeader, Action<PresenceRange>> begin)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(begin);
        byte[] start = new byte[PresenceFormat.RecordsAt];
        int length = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        if (length < start.Length)
        {
            throw new FormatViolationException(PresenceFormat.Name, length, "the end of the file", "header and head slots");
        }

        PresenceHeader header = PresenceFormat.ReadHeader(start);
        ReadOnlySpan<byte> check = start.AsSpan(PresenceFormat.CheckedHeader, PresenceFormat.HeaderSize - PresenceFormat.CheckedHeader);
        PresenceHead? first = PresenceFormat.ReadSlot(start.AsSpan((int)PresenceFormat.SlotOffset(0)), check);
        PresenceHead? second = PresenceFormat.ReadSlot(start.AsSpan((int)PresenceFormat.SlotOffset(1)), check);
        PresenceHead newest = (first is null || (second is not null && second.Count > first.Count) ? second : first)
            ?? throw new FormatViolationException(PresenceFormat.Name, PresenceFormat.PageSize, "two damaged head slots", "a good one at least");
        PresenceState state = new(header, start.AsSpan(0, PresenceFormat.CheckedHeader)) { NextSlot = ReferenceEquals(newest, first) ? 1 : 0 };
        ReadRecords(stream, state, newest, ReferenceEquals(newest, first) ? second : first, begin(header));
        return state;
    }

    private static void ReadRecords(Stream stream, PresenceState state, PresenceHead newest, PresenceHead? older, Action<PresenceRange> present)
    {
        byte[] record = new byte[4096];
        while (true)
        {
            CheckHead(state, newest);
            CheckHead(state, older);
            int length = ReadRecord(stream, state, ref record);
            if (length == 0)
            {
                if (state.RecordCount < newest.Count)
                {
                    throw new FormatViolationException(
                        PresenceFormat.Name, state.EndOffset, $"no good record {state.RecordCount}", $"{newest.Count} records");
                }

                return;
            }

            PresenceFormat.ReadRecord(record.AsSpan(0, length), state.EndOffset, state.Header.PartCount, present);
            state.Add(record.AsSpan(0, length));
        }
    }

    /// <returns>Its length; 0 where there is none that is right.</returns>
    private static int ReadRecord(Stream stream, PresenceState state, ref byte[] record)
    {
        if (stream.ReadAtLeast(record.AsSpan(0, PresenceFormat.RecordPrefix), PresenceFormat.RecordPrefix, throwOnEndOfStream: false) < PresenceFormat.RecordPrefix)
        {
            return 0;
        }

        uint length = BinaryPrimitives.ReadUInt32LittleEndian(record);
        if (length is < PresenceFormat.MinRecord or > PresenceFormat.MaxRecord
            || BinaryPrimitives.ReadUInt64LittleEndian(record.AsSpan(5)) != state.RecordCount)
        {
            return 0;
        }

        if (length > record.Length)
        {
            Array.Resize(ref record, (int)length);
        }

        int rest = (int)length - PresenceFormat.RecordPrefix;
        if (stream.ReadAtLeast(record.AsSpan(PresenceFormat.RecordPrefix, rest), rest, throwOnEndOfStream: false) < rest)
        {
            return 0;
        }

        int chainAt = (int)length - PresenceFormat.ChainSize;
        Span<byte> chain = stackalloc byte[PresenceFormat.ChainSize];
        PresenceFormat.NextChain(state.Chain, record.AsSpan(0, chainAt), chain);
        return chain.SequenceEqual(record.AsSpan(chainAt, PresenceFormat.ChainSize)) ? (int)length : 0;
    }

    private static void CheckHead(PresenceState state, PresenceHead? head)
    {
        if (head is not null && head.Count == state.RecordCount
            && (head.End != state.EndOffset || !head.Chain.Span.SequenceEqual(state.Chain)))
        {
            throw new FormatViolationException(PresenceFormat.Name, state.EndOffset, "other records", "those that a head slot counts");
        }
    }
}
