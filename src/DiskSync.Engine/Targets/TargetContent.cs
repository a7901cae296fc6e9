using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Journal;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Journal;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Linux;

namespace DiskSync.Engine.Targets;

/// <summary>What a target's file holds when a session begins, and what of it is known: its map and its journal.</summary>
/// <remarks>
/// Nothing is known of content until its journal says so, and the journal says so only after the content is there: a
/// kill in the middle of a clone leaves a piece that is cloned again (or hashed, where the base is gone), never believed.
/// </remarks>
internal sealed class TargetContent
{
    private readonly PagedMap _map;
    private readonly TransferJournal _journal;
    private bool MapIsLeftOver { get; init; }

    // Somebody else may have written since the journal's last session: the map is a guess until all is read back.
    private bool NothingIsRead { get; init; }

    private TargetContent(PagedMap map, TransferJournal journal, TargetState state)
    {
        _map = map;
        _journal = journal;
        State = state;
    }

    /// <summary>What the target held when it was opened.</summary>
    public TargetState State { get; }

    /// <summary>The base that the content started from, or empty.</summary>
    public string BaseUsed { get; private init; } = string.Empty;

    /// <summary>What the user should know, or empty.</summary>
    public string Notice { get; private init; } = string.Empty;

    /// <summary>Finds out what a staged copy holds, or makes one.</summary>
    public static TargetContent Staged(TargetOpening opening, LinuxFile file, BaseCatalog bases)
    {
        // A file without a byte holds nothing, whatever a journal beside it says: the copy that the journal speaks of has
        // got its name (and a kill came before the journal went), or was deleted.
        bool isNew = file.Length() == 0 || IsUnfinishedClone(opening);
        if (!isNew && !opening.Fresh)
        {
            return Resume(opening, file);
        }

        ulong fence = ForgetEverything(opening.Paths);
        file.SetLength(0);
        file.Sync();
        return opening.Request.Base == BaseChoice.None
            ? Empty(opening, file, fence)
            : FromBase(opening, file, bases, fence);
    }

    /// <summary>Finds out what a file or device holds that is to be written where it stands.</summary>
    /// <param name="opening">What is being opened.</param>
    /// <param name="known">Its own map where its seal still fits, else null.</param>
    /// <param name="untouched">Whether a journal that is there can be about it: its length is still the image's.</param>
    public static TargetContent InPlace(TargetOpening opening, PagedMap? known, bool untouched)
    {
        TargetPaths paths = opening.Paths;
        FileJournalPlace place = new(paths);
        RefuseStaged(opening);

        // A seal is revoked before the journal begins, so one that is there was written after it: the journal is a
        // left-over, and the image may have been written since (safety rule 7).
        if (!opening.Fresh && untouched && paths.StatOf(paths.Seal) is null && TransferJournal.Open(place, out _) is { } journal)
        {
            if (journal.Header.Geometry == opening.Geometry && OpenMap(paths, journal.Header) is { } kept)
            {
                return Resumed(kept, journal, nothingIsRead: true);
            }

            journal.Dispose();
        }

        // The old seal says what the image will no longer be (safety rule 7).
        ulong fence = ForgetEverything(paths);
        paths.Remove(paths.Seal);
        paths.Remove(paths.Map);
        paths.Flush();
        PagedMap map = NewMap(opening, defaultIsZero: false);
        TransferJournal fresh = TransferJournal.Create(place, opening.Geometry, unstoredIsZero: false, proven: false, fence);
        if (known is not null)
        {
            CopyMap(known, map);
        }

        return new TargetContent(map, fresh, TargetState.Unknown)
        {
            Notice = known is null ? $"{paths.ImagePath} was hashed whole, because nothing was known of what it holds" : string.Empty,
        };
    }

    /// <summary>Begins the session and puts the store together; owns the device from now on.</summary>
    public TargetStore OpenStore(IBlockDevice device, Guid session)
    {
        try
        {
            _journal.BeginSession(session);
            IReadOnlyList<PageClaim> unread = NothingIsRead
                ? [new PageClaim(0, _journal.Header.RegionCount, ReadBack: false)]
                : _journal.UnreadPages();
            return new TargetStore(
                device, _map, _journal, _journal.WithdrawnPages(), unread, mapIsCurrent: !MapIsLeftOver);
        }
        catch
        {
            _journal.Dispose();
            _map.Dispose();
            throw;
        }
    }

    /// <summary>Whether a kill came while the base was being cloned: nothing was received yet, and going on from the piece would send the rest of the base.</summary>
    private static bool IsUnfinishedClone(TargetOpening opening)
    {
        if (opening.Request.Base == BaseChoice.None)
        {
            // No base is offered any more, so the piece is worth more than nothing.
            return false;
        }

        // The note is written before the clone, the first session begins after it.
        using TransferJournal? journal = TransferJournal.Open(new FileJournalPlace(opening.Paths), out _);
        return journal is { Note: not null, HasSession: false };
    }

    /// <summary>Takes the journal and the map away, durably, before anything that they speak of changes.</summary>
    /// <returns>The newest fencing number of the target, which its next journal counts on from (safety rule 2).</returns>
    private static ulong ForgetEverything(TargetPaths paths)
    {
        ulong fence = 0;
        using (TransferJournal? old = TransferJournal.Open(new FileJournalPlace(paths), out _))
        {
            fence = old?.FenceNumber ?? 0;
        }

        // One after the other: a power cut must not leave a journal whose map is gone.
        paths.Remove(paths.Journal);
        paths.Flush();
        paths.Remove(paths.PartialMap);
        paths.Flush();
        return fence;
    }

    // The journal and the map beside an image are those of its staged copy where there is one.
    private static void RefuseStaged(TargetOpening opening)
    {
        TargetPaths paths = opening.Paths;
        if (paths.StatOf(paths.Staged) is null)
        {
            return;
        }

        if (!opening.Fresh)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"destination {paths.ImagePath}: {paths.PathOf(paths.Staged)} is a copy that an earlier run has staged and that can be resumed",
                "Finish it by running without --inplace, or throw it away with --fresh.");
        }

        using LinuxFile staged = TargetLock.Open(paths, paths.Staged, create: false);
        paths.Remove(paths.Staged);
    }

    private static TargetContent Empty(TargetOpening opening, LinuxFile file, ulong fence)
    {
        PagedMap map = NewMap(opening, defaultIsZero: true);
        file.SetLength(opening.Geometry.Length);
        file.Sync();
        return new TargetContent(
            map,
            TransferJournal.Create(new FileJournalPlace(opening.Paths), opening.Geometry, unstoredIsZero: true, proven: true, fence),
            TargetState.Empty);
    }

    private static TargetContent Resume(TargetOpening opening, LinuxFile file)
    {
        FileJournalPlace place = new(opening.Paths);
        TransferJournal? journal = TransferJournal.Open(place, out JournalDamage? damage);
        bool lengthFits = file.Length() == journal?.Header.Geometry.Length;
        PagedMap? kept = null;
        if (journal is not null && lengthFits && journal.Header.Geometry == opening.Geometry
            && (kept = OpenMap(opening.Paths, journal.Header)) is not null)
        {
            return Resumed(kept, journal, nothingIsRead: false);
        }

        // What is staged is somebody's work even when nobody knows what it is: hashing it finds out.
        string why = damage is not null ? $"its journal is damaged ({damage.Explanation})"
            : journal is null ? "it has no journal"
            : !lengthFits ? "its length is not what its journal says"
            : journal.Header.Geometry != opening.Geometry ? "the image's length or granularity has changed"
            : "its map is gone or was cut off";
        journal?.Dispose();
        ulong fence = ForgetEverything(opening.Paths);

        // Not before the journal is gone: a kill in between would let the length fit.
        file.SetLength(opening.Geometry.Length);
        PagedMap map = NewMap(opening, defaultIsZero: false);
        return new TargetContent(
            map,
            TransferJournal.Create(place, opening.Geometry, unstoredIsZero: false, proven: false, fence),
            TargetState.Resumed)
        {
            Notice = $"what was staged as {opening.Paths.PathOf(opening.Paths.Staged)} was hashed again, because {why}",
        };
    }

    private static TargetContent Resumed(PagedMap map, TransferJournal journal, bool nothingIsRead) =>
        new(map, journal, TargetState.Resumed)
        {
            NothingIsRead = nothingIsRead,
            MapIsLeftOver = true,
            BaseUsed = journal.Note?.BaseUsed ?? string.Empty,
        };

    private static TargetContent FromBase(TargetOpening opening, LinuxFile file, BaseCatalog bases, ulong fence)
    {
        string name = opening.Request.Base == BaseChoice.Target ? opening.Request.Name : opening.Request.BaseName;
        using BaseImage origin = bases.Open(name, opening.Request.BaseRoot, opening.Geometry.Granularity);
        PagedMap map = NewMap(opening, defaultIsZero: false);
        TransferJournal journal = TransferJournal.Create(
            new FileJournalPlace(opening.Paths), opening.Geometry, unstoredIsZero: false, proven: false, fence);
        try
        {
            journal.WriteNote(new JournalNote(name, opening.Request.BaseRoot));
            long total = origin.File.Length();
            FileCloner.Clone(
                origin.File, file, done => opening.Progress(ProgressPhase.Cloning, done, total), opening.CancellationToken);
            file.SetLength(opening.Geometry.Length);
            if (origin.Map is not null)
            {
                CopyMap(origin.Map, map);
            }

            return new TargetContent(map, journal, TargetState.Base)
            {
                BaseUsed = name,
                Notice = origin.Map is null
                    ? $"base {name} was hashed again, because it has no seal or was written since it was sealed"
                    : string.Empty,
            };
        }
        catch
        {
            journal.Dispose();
            map.Dispose();
            throw;
        }
    }

    private static void CopyMap(PagedMap from, PagedMap to)
    {
        BlockGeometry shorter = from.Geometry.Length < to.Geometry.Length ? from.Geometry : to.Geometry;
        long whole = shorter.Length / shorter.Granularity;
        long block = 0;
        foreach (HashRun run in from.GetRuns(0, whole))
        {
            to.SetRun(block, run.Count, run.Hash);
            block += run.Count;
        }

        // Past the base's end the copy is a hole; the block across the end is found out by hashing it.
        long past = whole + (shorter.Length % shorter.Granularity == 0 ? 0 : 1);
        if (past < to.Geometry.BlockCount)
        {
            to.SetZeroRun(past, to.Geometry.BlockCount - past);
        }
        else if (from.Geometry.Length == to.Geometry.Length && whole < to.Geometry.BlockCount)
        {
            to.Set(whole, from.Get(whole));
        }
    }

    private static PagedMap NewMap(TargetOpening opening, bool defaultIsZero)
    {
        DiskStateFile file = new(
            opening.Paths.OpenFile(opening.Paths.PartialMap, LinuxOpen.ReadWrite | LinuxOpen.Create | LinuxOpen.Truncate),
            opening.Paths.Folder);
        file.SetLength(PagedMap.StoredLength(opening.Geometry));
        return new PagedMap(opening.Geometry, file, defaultIsZero);
    }

    /// <summary>The map that a journal speaks of, or null where it is gone or was cut off: then the journal proves nothing.</summary>
    public static PagedMap? OpenMap(TargetPaths paths, TransferJournalHeader header)
    {
        if (paths.StatOf(paths.PartialMap)?.Size != PagedMap.StoredLength(header.Geometry))
        {
            return null;
        }

        return new PagedMap(
            header.Geometry,
            new DiskStateFile(paths.OpenFile(paths.PartialMap, LinuxOpen.ReadWrite), paths.Folder),
            header.UnstoredIsZero);
    }
}
