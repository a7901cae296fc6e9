using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Journal;

namespace DiskSync.Engine.Journal;

/// <summary>A target's transfer journal in its file (Formats/Journal/FORMAT.md).</summary>
/// <remarks>
/// A record is flushed before the slot that counts it is written, and then the slot: two flushes, after which no power cut
/// leaves a journal that proves nothing. An append that fails is final, as nobody knows what of it is on the medium: open
/// the journal again to go on. Not thread safe; the <see cref="TargetStore"/> that owns it calls it under its lock. Owns
/// its file.
/// </remarks>
public sealed class TransferJournal : ITransferJournal
{
    /// <summary>After how many bytes of records a journal is made smaller: those of its state alone are a few hundred bytes, and a megabyte is some ten thousand records.</summary>
    public const long DefaultCompactAfter = 1 << 20;

    private const long FirstRecord = 12288;

    private readonly IJournalPlace _place;
    private readonly long _compactAfter;
    private long _compactNext;
    private bool _failed;
    private IStateFile _file;
    private TransferJournalAppender _appender;

    private TransferJournal(IJournalPlace place, IStateFile file, TransferJournalAppender appender, long compactAfter)
    {
        _place = place;
        _file = file;
        _appender = appender;
        _compactAfter = compactAfter;
        _compactNext = FirstRecord + compactAfter;
    }

    /// <inheritdoc/>
    public ulong FenceNumber => _appender.State.Fence;

    /// <summary>Whether a session has begun in this journal; an older one's number may be in it all the same.</summary>
    public bool HasSession => _appender.State.SessionId != Guid.Empty;

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
    /// <param name="compactAfter">After how many bytes of records the file is made smaller.</param>
    public static TransferJournal Create(
        IJournalPlace place,
        BlockGeometry geometry,
        bool unstoredIsZero,
        bool proven,
        ulong fence,
        long compactAfter = DefaultCompactAfter)
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
        return new TransferJournal(place, file, appender, compactAfter);
    }

    /// <summary>Opens the journal that is there.</summary>
    /// <param name="place">Where journals of this target live.</param>
    /// <param name="damage">Why it proves nothing; null where it is intact or where there is none.</param>
    /// <param name="compactAfter">After how many bytes of records the file is made smaller.</param>
    /// <returns>The journal, or null where there is none that could be believed.</returns>
    public static TransferJournal? Open(IJournalPlace place, out JournalDamage? damage, long compactAfter = DefaultCompactAfter)
    {
        damage = null;
        IStateFile? file = place.OpenExisting();
        if (file is null)
        {
            return null;
        }

        try
        {
            TransferJournalResult result = TransferJournalReader.Read(new StateFileStream(file));
            if (!result.IsIntact)
            {
                damage = result.Damage;
                file.Dispose();
                return null;
            }

            // What was never acknowledged goes, so that the next record is appended where the chain ends.
            file.SetLength(result.State.EndOffset);
            return new TransferJournal(place, file, new TransferJournalAppender(result.State), compactAfter);
        }
        catch
        {
            file.Dispose();
            throw;
        }
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

        if (_appender.State.EndOffset > _compactNext)
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
        if (_failed)
        {
            throw new DiskSyncException(
                FailureKind.Destination,
                $"{_file.Name}: an earlier write failed, so nothing more is written",
                "Check the storage, then run the command again: it goes on from what is durable.");
        }

        // A record that is half written would be followed by one that nobody could read.
        _failed = true;
        JournalAppend append = _appender.Append(record);
        _file.Write(append.RecordOffset, append.Record.Span);
        _file.Flush();
        _file.Write(append.SlotOffset, append.Slot.Span);
        _file.Flush();
        _failed = false;
    }

    /// <summary>Writes the state as a new journal and puts it in the old one's place.</summary>
    private void Compact()
    {
        _failed = true;
        TransferJournalState old = _appender.State;
        TransferJournalAppender appender = TransferJournalAppender.Create(old.Header with { Id = Guid.NewGuid() }, out byte[] bytes);
        IStateFile file = _place.Replace(fresh =>
        {
            fresh.Write(0, bytes);
            if (old.Fence > 0)
            {
                WriteTo(fresh, appender.Append(new JournalSession(old.Fence, old.SessionId)));
            }

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
        _failed = false;

        // One whose state alone is large is not written anew each time.
        long size = appender.State.EndOffset;
        _compactNext = size + Math.Max(_compactAfter, size - FirstRecord);
    }
}
