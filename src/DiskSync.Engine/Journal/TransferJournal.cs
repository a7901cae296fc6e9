using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Journal;

namespace DiskSync.Engine.Journal;

/// <summary>A target's transfer journal in its file (Formats/Journal/FORMAT.md).</summary>
/// <remarks>Not thread safe; the <see cref="TargetStore"/> that owns it calls it under its lock. Owns its file.</remarks>
public sealed class TransferJournal : ITransferJournal
{
    // A fresh journal of the same state is a few hundred bytes; a megabyte is some ten thousand records.
    private const long CompactAt = 1 << 20;

    private readonly IJournalPlace _place;
    private IStateFile _file;
    private TransferJournalAppender _appender;

    private TransferJournal(IJournalPlace place, IStateFile file, TransferJournalAppender appender)
    {
        _place = place;
        _file = file;
        _appender = appender;
    }

    /// <inheritdoc/>
    public ulong FenceNumber => _appender.State.Fence;

    /// <summary>What the journal is about.</summary>
    public TransferJournalHeader Header => _appender.State.Header;

    /// <summary>What the staged copy started from, or null where nothing was noted.</summary>
    public JournalNote? Note => _appender.State.Note;

    /// <summary>Makes a new journal, durable, in place of any that is there.</summary>
    /// <param name="place">Where journals of this target live.</param>
    /// <param name="geometry">The image's geometry.</param>
    /// <param name="unstoredIsZero">Whether map pages that were never stored mean zeros; else unknown.</param>
    /// <param name="proven">Whether the map may be believed from the first byte on (an empty file, whose map is empty too); else every page is withdrawn.</param>
    /// <param name="fence">The newest fencing number known of this target; sessions count on from it.</param>
    public static TransferJournal Create(IJournalPlace place, BlockGeometry geometry, bool unstoredIsZero, bool proven, ulong fence)
    {
        TransferJournalHeader header = new(
            geometry, Guid.NewGuid(), DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), unstoredIsZero);
        TransferJournalAppender appender = TransferJournalAppender.Create(header, out byte[] bytes);
        IStateFile file = place.Replace(fresh =>
        {
            fresh.Write(0, bytes);
            if (fence > 0)
            {
                WriteTo(fresh, appender.Append(new JournalSession(fence, Guid.Empty)));
            }

            if (!proven && header.RegionCount > 0)
            {
                WriteTo(fresh, appender.Append(new JournalWithdraw([new RegionRange(0, header.RegionCount)])));
            }
        });
        return new TransferJournal(place, file, appender);
    }

    /// <summary>Opens the journal that is there.</summary>
    /// <param name="place">Where journals of this target live.</param>
    /// <param name="damage">Why it proves nothing; null where it is intact or where there is none.</param>
    /// <returns>The journal, or null where there is none that could be believed.</returns>
    public static TransferJournal? Open(IJournalPlace place, out JournalDamage? damage)
    {
        damage = null;
        IStateFile? file = place.OpenExisting();
        if (file is null)
        {
            return null;
        }

        TransferJournalResult result = TransferJournalReader.Read(new StateFileStream(file));
        if (!result.IsIntact)
        {
            damage = result.Damage;
            file.Dispose();
            return null;
        }

        // What was never acknowledged goes, so that the next record is appended where the chain ends.
        file.SetLength(result.State.EndOffset);
        return new TransferJournal(place, file, new TransferJournalAppender(result.State));
    }

    /// <summary>Begins a session: its fencing number is durable when this returns.</summary>
    public void BeginSession(Guid session) => Append(new JournalSession(FenceNumber + 1, session));

    /// <summary>Notes what the staged copy started from.</summary>
    public void WriteNote(JournalNote note) => Append(note);

    /// <summary>Pages whose claim was withdrawn and not renewed.</summary>
    public IReadOnlyList<PageClaim> WithdrawnPages() =>
        [.. _appender.State.Withdrawn.Ranges.Select(r => new PageClaim(r.First, r.Count, false))];

    /// <summary>Pages that are claimed but were not read back since they were written.</summary>
    public IReadOnlyList<PageClaim> UnreadPages()
    {
        List<PageClaim> unread = [];
        long next = 0;
        foreach (RegionRange range in _appender.State.ReadBack.Ranges)
        {
            AddGap(unread, next, range.First);
            next = range.First + range.Count;
        }

        AddGap(unread, next, Header.RegionCount);
        return unread;
    }

    /// <inheritdoc/>
    public void Withdraw(long firstPage, long pageCount) =>
        Append(new JournalWithdraw([new RegionRange(firstPage, pageCount)]));

    /// <inheritdoc/>
    public void Claim(IReadOnlyList<PageClaim> pages)
    {
        foreach (bool readBack in (ReadOnlySpan<bool>)[false, true])
        {
            RegionRange[] ranges = [.. pages
                .Where(p => p.ReadBack == readBack).Select(p => new RegionRange(p.FirstPage, p.PageCount))];
            foreach (RegionRange[] chunk in ranges.Chunk(JournalRecord.MaxRanges))
            {
                Append(new JournalCheckpoint(chunk, readBack));
            }
        }

        if (_appender.State.EndOffset > CompactAt)
        {
            Compact();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static void AddGap(List<PageClaim> pages, long from, long to)
    {
        if (to > from)
        {
            pages.Add(new PageClaim(from, to - from, false));
        }
    }

    private static void WriteTo(IStateFile file, JournalAppend append)
    {
        file.Write(append.RecordOffset, append.Record.Span);
        file.Write(append.SlotOffset, append.Slot.Span);
    }

    private void Append(JournalRecord record)
    {
        WriteTo(_file, _appender.Append(record));
        _file.Flush();
    }

    /// <summary>Writes the state as a new journal and puts it in the old one's place.</summary>
    private void Compact()
    {
        TransferJournalState old = _appender.State;
        TransferJournalAppender appender = TransferJournalAppender.Create(old.Header with { Id = Guid.NewGuid() }, out byte[] bytes);
        IStateFile file = _place.Replace(fresh =>
        {
            fresh.Write(0, bytes);
            WriteTo(fresh, appender.Append(new JournalSession(old.Fence, old.SessionId)));
            if (old.Note is { } note)
            {
                WriteTo(fresh, appender.Append(note));
            }

            // Withdrawing first: a claim that is read back is never one that is withdrawn.
            foreach (RegionRange[] chunk in old.Withdrawn.Ranges.Chunk(JournalRecord.MaxRanges))
            {
                WriteTo(fresh, appender.Append(new JournalWithdraw(chunk)));
            }

            foreach (RegionRange[] chunk in old.ReadBack.Ranges.Chunk(JournalRecord.MaxRanges))
            {
                WriteTo(fresh, appender.Append(new JournalCheckpoint(chunk, ReadBack: true)));
            }
        });
        _file.Dispose();
        _file = file;
        _appender = appender;
    }
}
