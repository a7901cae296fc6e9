using DiskSync.Formats.RecordLog;

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
        byte[] start = new byte[LogLayout.RecordsAt];
        int length = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        if (length < start.Length)
        {
            throw new FormatViolationException(PresenceFormat.Name, length, "the end of the file", "header and head slots");
        }

        PresenceHeader header = PresenceFormat.ReadHeader(start);
        ReadOnlySpan<byte> check = start.AsSpan(PresenceFormat.CheckedHeader, PresenceFormat.HeaderSize - PresenceFormat.CheckedHeader);
        LogHead? first = LogLayout.ReadSlot(start.AsSpan((int)LogLayout.SlotOffset(0)), check);
        LogHead? second = LogLayout.ReadSlot(start.AsSpan((int)LogLayout.SlotOffset(1)), check);
        LogHead newest = (first is null || (second is not null && second.Count > first.Count) ? second : first)
            ?? throw new FormatViolationException(PresenceFormat.Name, LogLayout.PageSize, "two damaged head slots", "a good one at least");
        PresenceState state = new(header, start.AsSpan(0, PresenceFormat.CheckedHeader)) { NextSlot = ReferenceEquals(newest, first) ? 1 : 0 };
        ReadRecords(stream, state, newest, ReferenceEquals(newest, first) ? second : first, begin(header));
        return state;
    }

    private static void ReadRecords(Stream stream, PresenceState state, LogHead newest, LogHead? older, Action<PresenceRange> present)
    {
        RecordSource records = new(stream, PresenceFormat.Layout);
        while (true)
        {
            CheckHead(state, newest);
            CheckHead(state, older);
            if (!records.TryRead(state.RecordCount, state.Chain, out ReadOnlySpan<byte> record, out _))
            {
                if (state.RecordCount < newest.Count)
                {
                    throw new FormatViolationException(
                        PresenceFormat.Name, state.EndOffset, $"no good record {state.RecordCount}", $"{newest.Count} records");
                }

                return;
            }

            PresenceFormat.ReadRecord(record, state.EndOffset, state.Header.PartCount, present);
            state.Add(record);
        }
    }

    private static void CheckHead(PresenceState state, LogHead? head)
    {
        if (head?.Contradicts(state.RecordCount, state.EndOffset, state.Chain) == true)
        {
            throw new FormatViolationException(PresenceFormat.Name, state.EndOffset, "other records", "those that a head slot counts");
        }
    }
}
