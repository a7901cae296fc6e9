using System.Buffers.Binary;
using DiskSync.Formats.RecordLog;

namespace DiskSync.Formats.Journal;

/// <summary>Reads a transfer journal and says what it proves (FORMAT.md).</summary>
/// <remarks>
/// A file cut off anywhere or with any bit flipped never gives a state that claims more than the file as it was
/// acknowledged: it gives the same state or a damage. Only appends that were never acknowledged may be missing from
/// a state. Memory is one record and the state. Thread safe; throws nothing of its own.
/// </remarks>
public static class TransferJournalReader
{
    /// <summary>Reads a journal from memory.</summary>
    public static TransferJournalResult Read(ReadOnlySpan<byte> file) => Read(new MemoryStream(file.ToArray()));

    /// <summary>Reads a journal.</summary>
    /// <param name="stream">Where from: forward to its end; stays open. What the stream throws is passed on.</param>
    public static TransferJournalResult Read(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        byte[] fixedPart = new byte[LogLayout.RecordsAt];
        int length = stream.ReadAtLeast(fixedPart, fixedPart.Length, throwOnEndOfStream: false);
        JournalDamage? damage = CheckStart(fixedPart, length);
        if (damage is not null)
        {
            return new TransferJournalResult(damage);
        }

        TransferJournalHeader? header = JournalFormat.ReadHeader(fixedPart);
        if (header is null)
        {
            return Damaged(JournalDamageKind.Header, 0, "the journal's header is damaged");
        }

        ReadOnlySpan<byte> check = fixedPart.AsSpan(JournalFormat.CheckedHeader, JournalFormat.HeaderSize - JournalFormat.CheckedHeader);
        LogHead? first = ReadSlot(fixedPart, 0, check);
        LogHead? second = ReadSlot(fixedPart, 1, check);
        LogHead? newest = first is null || (second is not null && second.Count > first.Count) ? second : first;
        if (newest is null)
        {
            return Damaged(JournalDamageKind.HeadSlots, LogLayout.PageSize, "both of the journal's head slots are damaged");
        }

        var state = new TransferJournalState(header) { NextSlot = ReferenceEquals(newest, first) ? 1 : 0 };
        Span<byte> chain = stackalloc byte[LogLayout.ChainSize];
        JournalFormat.Layout.NextChain([], fixedPart.AsSpan(0, JournalFormat.CheckedHeader), chain);
        state.Begin(chain);
        return ReadRecords(stream, state, newest, ReferenceEquals(newest, first) ? second : first);
    }

    private static TransferJournalResult ReadRecords(
        Stream stream, TransferJournalState state, LogHead newest, LogHead? older)
    {
        var record = new RecordSource(stream, JournalFormat.Layout);
        while (true)
        {
            foreach (LogHead? head in (ReadOnlySpan<LogHead?>)[older, newest])
            {
                if (head?.Contradicts(state.RecordCount, state.EndOffset, state.Chain) == true)
                {
                    return Damaged(JournalDamageKind.Record, state.EndOffset, "the journal's records do not end as its head says");
                }
            }

            bool acknowledged = state.RecordCount < newest.Count;
            if (!record.TryRead(state.RecordCount, state.Chain, out ReadOnlySpan<byte> bytes, out bool atEnd))
            {
                if (!acknowledged)
                {
                    // Never acknowledged: what it would have withdrawn has not been overwritten.
                    state.TornBytes = record.BytesBehind();
                    return new TransferJournalResult(state);
                }

                return atEnd
                    ? Damaged(JournalDamageKind.RecordsMissing, state.EndOffset, $"the journal has {state.RecordCount} of {newest.Count} records")
                    : Damaged(JournalDamageKind.Record, state.EndOffset, $"record {state.RecordCount} of the journal is damaged");
            }

            try
            {
                JournalRecord parsed = JournalFormat.ReadRecord(bytes, state.EndOffset, state.Header.RegionCount);
                if (!state.TryApply(parsed, bytes.Length, bytes[^LogLayout.ChainSize..]))
                {
                    return Damaged(JournalDamageKind.Record, state.EndOffset, $"record {state.RecordCount} of the journal goes back in time");
                }
            }
            catch (FormatViolationException e)
            {
                return Damaged(JournalDamageKind.Record, e.Offset, e.Message);
            }
        }
    }

    private static LogHead? ReadSlot(byte[] fixedPart, int slot, ReadOnlySpan<byte> check) =>
        JournalFormat.ReadSlot(fixedPart.AsSpan((int)LogLayout.SlotOffset(slot), LogLayout.PageSize), check);

    private static JournalDamage? CheckStart(byte[] start, int length)
    {
        if (length == 0)
        {
            return new JournalDamage(JournalDamageKind.Empty, 0, "the journal is empty");
        }

        if (!start.AsSpan().StartsWith(JournalFormat.Magic))
        {
            return new JournalDamage(JournalDamageKind.NotAJournal, 0, "the file is no transfer journal");
        }

        ushort version = BinaryPrimitives.ReadUInt16LittleEndian(start.AsSpan(8));
        if (length >= 10 && version != JournalFormat.Version)
        {
            return new JournalDamage(
                JournalDamageKind.OtherVersion, 8, $"the journal is of version {version}, this program reads version {JournalFormat.Version}");
        }

        return length < start.Length
            ? new JournalDamage(JournalDamageKind.CutOff, length, "the journal ends inside its header")
            : null;
    }

    private static TransferJournalResult Damaged(JournalDamageKind kind, long offset, string explanation) =>
        new(new JournalDamage(kind, offset, explanation));
}
