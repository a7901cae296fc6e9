using DiskSync.Formats.RecordLog;

namespace DiskSync.Formats.Journal;

/// <summary>Turns records into the bytes that append them to a transfer journal, and says where they go.</summary>
/// <remarks>Writes nothing itself. One for a journal; the order of calls is the order of writes. Not thread safe.</remarks>
public sealed class TransferJournalAppender
{
    private readonly TransferJournalState _state;
    private readonly byte[] _headerCheck;

    /// <summary>Goes on where a journal that was read ends.</summary>
    /// <param name="state">
    /// What reading it gave. The appender takes it over and keeps it up to date: its withdrawn and read-back
    /// regions are those of the journal with everything appended.
    /// </param>
    public TransferJournalAppender(TransferJournalState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        _state = state;
        byte[] page = new byte[LogLayout.PageSize];
        JournalFormat.WriteHeader(state.Header, page);
        _headerCheck = page[JournalFormat.CheckedHeader..JournalFormat.HeaderSize];
    }

    /// <summary>The journal with everything appended so far.</summary>
    public TransferJournalState State => _state;

    /// <summary>Makes a new journal.</summary>
    /// <param name="header">What it is about; give every journal a new random id.</param>
    /// <param name="file">The whole file; durable, with its name, before the first append.</param>
    public static TransferJournalAppender Create(TransferJournalHeader header, out byte[] file)
    {
        ArgumentNullException.ThrowIfNull(header);
        file = new byte[LogLayout.RecordsAt];
        JournalFormat.WriteHeader(header, file.AsSpan(0, LogLayout.PageSize));
        var state = new TransferJournalState(header) { NextSlot = 1 };
        Span<byte> chain = stackalloc byte[LogLayout.ChainSize];
        JournalFormat.Layout.NextChain([], file.AsSpan(0, JournalFormat.CheckedHeader), chain);
        state.Begin(chain);
        var appender = new TransferJournalAppender(state);
        LogLayout.WriteSlot(appender.Head(), appender._headerCheck, file.AsSpan((int)LogLayout.SlotOffset(0)));
        return appender;
    }

    /// <summary>Appends a record.</summary>
    /// <exception cref="ArgumentException">The record breaks a rule of the format: a bug of the caller; nothing has changed.</exception>
    public JournalAppend Append(JournalRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        byte[] bytes = JournalFormat.WriteRecord(record, _state.RecordCount, _state.Chain, _state.Header.RegionCount);
        long at = _state.EndOffset;
        if (!_state.TryApply(record, bytes.Length, bytes.AsSpan(bytes.Length - LogLayout.ChainSize)))
        {
            throw new ArgumentException($"{record} cannot follow fence {_state.Fence}", nameof(record));
        }

        byte[] slot = new byte[LogLayout.SlotSize];
        LogLayout.WriteSlot(Head(), _headerCheck, slot);
        long slotAt = LogLayout.SlotOffset(_state.NextSlot);
        _state.NextSlot ^= 1;
        return new JournalAppend(at, bytes, slotAt, slot);
    }

    private LogHead Head() => new(_state.RecordCount, _state.EndOffset, _state.Chain.ToArray());
}
