using System.Runtime.InteropServices;
using DiskSync.Engine.Dirty;
using DiskSync.Engine.Journal;
using DiskSync.Formats;
using DiskSync.Formats.Presence;

namespace DiskSync.Engine.Tail;

/// <summary>Which parts of an image with an on-demand tail are in it, kept durably with it (Formats/Presence/FORMAT.md; safety rule 10).</summary>
/// <remarks>
/// Thread safe. A part is marked after it has been written to the image and before that write is answered; a commit flushes
/// the image, then records what was marked before. A commit that fails is final, as is the flush of an image (safety rule
/// 4). What was marked and not committed outlives a kill of the process, by the notes, and not a power cut.
/// </remarks>
public sealed class PresenceMap : IDisposable
{
    /// <summary>After how many bytes of records a map is written anew.</summary>
    public const long DefaultCompactAfter = 1 << 20;

    private readonly IJournalPlace _place;
    private readonly IStateFile _notes;
    private readonly byte[] _notesHeader;
    private readonly PresenceBits _bits;
    private readonly PresenceBits _saved;
    private readonly long _compactAfter;
    private readonly Lock _marks = new();
    private readonly Lock _commits = new();
    private RunSet _pending = new();
    private uint _noteCount;
    private IStateFile _file;
    private PresenceAppender _appender;
    private long _compactNext;
    private long _begun;
    private long _done;

    // Whether records were written, or found, that are not known to be durable.
    private volatile bool _fileIsDirty;
    private bool _slotIsDirty;
    private bool _failed;

    private PresenceMap(
        IJournalPlace place, IStateFile file, PresenceAppender appender, IStateFile notes, Guid boot, PresenceBits bits, PresenceBits saved, long compactAfter)
    {
        _place = place;
        _file = file;
        _appender = appender;
        _notes = notes;
        _notesHeader = PresenceNotes.Header(boot, appender.Header.Attempt);
        _bits = bits;
        _saved = saved;
        _compactAfter = compactAfter;
        _compactNext = appender.EndOffset + compactAfter;
    }

    /// <summary>What the map is about.</summary>
    public PresenceHeader Header => _appender.Header;

    /// <summary>How many parts are not there yet.</summary>
    public long MissingParts => _bits.Missing;

    /// <summary>Whether nothing is missing, and the map says so durably.</summary>
    public bool IsComplete => _saved.Missing == 0 && !_fileIsDirty;

    /// <summary>Makes a new map, durable, in place of any that is there.</summary>
    /// <param name="place">Where maps of this image live.</param>
    /// <param name="notes">The notes' file; owned from now on.</param>
    /// <param name="header">What the map is about.</param>
    /// <param name="present">The parts that are in the image, durably; ascending, none overlaps.</param>
    /// <param name="boot">This host's boot id.</param>
    /// <param name="compactAfter">After how many bytes of records the file is written anew.</param>
    /// <exception cref="DiskSyncException">It cannot be made.</exception>
    public static PresenceMap Create(
        IJournalPlace place, IStateFile notes, PresenceHeader header, IEnumerable<PresenceRange> present, Guid boot, long compactAfter = DefaultCompactAfter)
    {
        ArgumentNullException.ThrowIfNull(place);
        ArgumentNullException.ThrowIfNull(notes);
        ArgumentNullException.ThrowIfNull(header);
        PresenceBits bits = new(header.PartCount);
        PresenceBits saved = new(header.PartCount);
        foreach (PresenceRange range in present)
        {
            bits.Set(range.First, range.Count);
            saved.Set(range.First, range.Count);
        }

        (IStateFile file, PresenceAppender appender) = WriteNew(place, header, saved);
        PresenceMap map = new(place, file, appender, notes, boot, bits, saved, compactAfter);
        map.ForgetNotes();
        return map;
    }

    /// <summary>Opens the map that is there.</summary>
    /// <param name="place">Where maps of this image live.</param>
    /// <param name="notes">The notes' file; owned from now on.</param>
    /// <param name="image">The image, for messages.</param>
    /// <param name="length">The image's length in bytes.</param>
    /// <param name="boot">This host's boot id.</param>
    /// <param name="compactAfter">After how many bytes of records the file is written anew.</param>
    /// <exception cref="DiskSyncException">It is lost, torn or of another image: the image must not be served.</exception>
    public static PresenceMap Open(IJournalPlace place, IStateFile notes, string image, long length, Guid boot, long compactAfter = DefaultCompactAfter)
    {
        ArgumentNullException.ThrowIfNull(place);
        ArgumentNullException.ThrowIfNull(notes);
        IStateFile file = place.OpenExisting() ?? throw Lost(image, "its presence map is not there");
        try
        {
            PresenceBits bits = new(0);
            PresenceBits saved = bits;
            PresenceState state = PresenceReader.Read(new StateFileStream(file), header =>
            {
                if (header.Length != length)
                {
                    throw Lost(image, $"its presence map is of an image of {header.Length} bytes, and it has {length}");
                }

                (bits, saved) = (new PresenceBits(header.PartCount), new PresenceBits(header.PartCount));
                return range =>
                {
                    bits.Set(range.First, range.Count);
                    saved.Set(range.First, range.Count);
                };
            });

            // What no answer waited for goes, so that the next record is appended where the chain ends.
            file.SetLength(state.EndOffset);
            PresenceMap map = new(place, file, new PresenceAppender(state), notes, boot, bits, saved, compactAfter)
            {
                // A killed process may have left a record that was never flushed: it is believed, as its image was flushed
                // before, so the next flush that is answered has to cover it.
                _fileIsDirty = true,
            };
            map.ReadNotes();
            if (saved.Missing == 0)
            {
                // Nobody will commit again who takes it for complete.
                map.Settle();
            }

            return map;
        }
        catch (FormatViolationException exception)
        {
            file.Dispose();
            throw Lost(image, exception.Message, exception);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Whether all of a range of parts is there.</summary>
    public bool All(long first, long count) => _bits.All(first, count);

    /// <summary>The first part of a range that is, or is not, there; its end where none is so.</summary>
    /// <param name="from">The first part.</param>
    /// <param name="end">The part after the last.</param>
    /// <param name="present">What is looked for.</param>
    public long Next(long from, long end, bool present) => _bits.Next(from, end, present);

    /// <summary>Notes that parts are in the image: after they have been written to it, and before that write is answered.</summary>
    /// <param name="first">The first part.</param>
    /// <param name="count">How many.</param>
    /// <exception cref="DiskSyncException">It cannot be noted; the write must not be answered with success.</exception>
    public void Mark(long first, long count)
    {
        lock (_marks)
        {
            if (_bits.All(first, count))
            {
                return;
            }

            // The note first: a part that is there is written without being marked again, so if the note failed after
            // that, a kill would have those writes overwritten by what the source holds.
            Note(first, count);
            _bits.Set(first, count);
            _pending.Add(first, count);
        }
    }

    /// <summary>Makes durable what was marked before, and what it is in: what a flush does.</summary>
    /// <param name="flushImage">Makes durable what was written to the image.</param>
    /// <exception cref="DiskSyncException">It failed, now or at any time before.</exception>
    public void Commit(Action flushImage)
    {
        ArgumentNullException.ThrowIfNull(flushImage);
        long needed;
        lock (_marks)
        {
            needed = _begun + 1;
        }

        lock (_commits)
        {
            // Several who wait are served by one that began after they came.
            if (_done >= needed)
            {
                return;
            }

            CheckUsable();
            RunSet taken;
            lock (_marks)
            {
                (taken, _pending) = (_pending, new RunSet());
                _begun++;
            }

            _failed = true;
            flushImage();
            Record(taken);
            _failed = false;
            _done = _begun;
        }
    }

    /// <summary>Makes durable how far the map goes, so that a loss of its end would be noticed. Call it when nothing was committed for a moment.</summary>
    /// <exception cref="DiskSyncException">It failed, now or at any time before.</exception>
    public void Settle()
    {
        lock (_commits)
        {
            CheckUsable();
            if (_slotIsDirty || _fileIsDirty)
            {
                _failed = true;
                _file.Flush();
                _failed = false;
                _slotIsDirty = _fileIsDirty = false;
            }
        }
    }

    /// <summary>Closes the files. Commit and settle before: nothing is written here.</summary>
    public void Dispose()
    {
        _file.Dispose();
        _notes.Dispose();
    }

    private static (IStateFile File, PresenceAppender Appender) WriteNew(IJournalPlace place, PresenceHeader header, PresenceBits present)
    {
        PresenceAppender appender = PresenceAppender.Create(header with { Id = Guid.NewGuid() }, out byte[] start);
        IStateFile file = place.Replace(fresh =>
        {
            fresh.Write(0, start);
            WriteState(fresh, appender, present);

            // All of it is flushed before it has its name, so the slot need not wait.
            PresenceWrite slot = appender.Slot();
            fresh.Write(slot.Offset, slot.Bytes.Span);
        });
        return (file, appender);
    }

    /// <summary>Runs where they are shorter, bits where those are.</summary>
    private static void WriteState(IStateFile file, PresenceAppender appender, PresenceBits present)
    {
        List<PresenceRange> ranges = [];
        for (long part = 0; part < present.PartCount;)
        {
            long end = Math.Min(present.PartCount, (part / PresenceBits.ChunkParts * PresenceBits.ChunkParts) + PresenceBits.ChunkParts);
            if (present.MixedChunk((int)(part / PresenceBits.ChunkParts)) is { } words && IsFragmented(words))
            {
                WriteRanges(file, appender, ranges);
                ranges.Clear();
                byte[] bits = MemoryMarshal.AsBytes(words.AsSpan())[..(int)((end - part + 7) / 8)].ToArray();
                PresenceWrite write = appender.AppendBits(part, (int)(end - part), bits);
                file.Write(write.Offset, write.Bytes.Span);
            }
            else
            {
                for (long at = present.Next(part, end, present: true); at < end;)
                {
                    long stop = present.Next(at, end, present: false);
                    if (ranges.Count > 0 && ranges[^1].End == at)
                    {
                        ranges[^1] = ranges[^1] with { Count = ranges[^1].Count + stop - at };
                    }
                    else
                    {
                        ranges.Add(new PresenceRange(at, stop - at));
                    }

                    at = present.Next(stop, end, present: true);
                }
            }

            part = end;
        }

        WriteRanges(file, appender, ranges);
    }

    private static void WriteRanges(IStateFile file, PresenceAppender appender, List<PresenceRange> ranges)
    {
        foreach (PresenceRange[] chunk in ranges.Chunk(PresenceAppender.MostRanges))
        {
            PresenceWrite write = appender.Append(chunk);
            file.Write(write.Offset, write.Bytes.Span);
        }
    }

    // A run takes 16 bytes, and the bits of a chunk 4,096.
    private static bool IsFragmented(ulong[] words)
    {
        int runs = 0;
        ulong carry = 0;
        foreach (ulong word in words)
        {
            runs += System.Numerics.BitOperations.PopCount(word & ~((word << 1) | carry));
            carry = word >> 63;
        }

        return runs > 256;
    }

    private void Record(RunSet taken)
    {
        if (taken.Count > 0)
        {
            WriteRanges(_file, _appender, [.. taken.Runs.Select(r => new PresenceRange(r.First, r.Count))]);
            _fileIsDirty = true;
        }

        if (_fileIsDirty)
        {
            _file.Flush();
            _fileIsDirty = false;

            // Not before: a slot must never count what is not durable. The next flush takes it along.
            PresenceWrite slot = _appender.Slot();
            _file.Write(slot.Offset, slot.Bytes.Span);
            _slotIsDirty = true;
        }

        foreach (BlockRun run in taken.Runs)
        {
            _saved.Set(run.First, run.Count);
        }

        lock (_marks)
        {
            if (_pending.Count == 0 && _noteCount > 0)
            {
                _notes.SetLength(PresenceNotes.HeaderSize);
                _noteCount = 0;
            }
        }

        if (_appender.EndOffset > _compactNext)
        {
            (IStateFile file, PresenceAppender appender) = WriteNew(_place, Header, _saved);
            _file.Dispose();
            (_file, _appender, _slotIsDirty) = (file, appender, false);

            // One whose state alone is large is not written anew each time.
            _compactNext = appender.EndOffset + Math.Max(_compactAfter, appender.RecordBytes);
        }
    }

    private void Note(long first, long count)
    {
        Span<byte> entry = stackalloc byte[PresenceNotes.EntrySize];
        while (count > 0)
        {
            PresenceRange range = new(first, Math.Min(count, int.MaxValue));
            PresenceNotes.WriteEntry(_notesHeader, _noteCount, range, entry);
            _notes.Write(PresenceNotes.HeaderSize + ((long)_noteCount * PresenceNotes.EntrySize), entry);
            _noteCount++;
            first += range.Count;
            count -= range.Count;
        }
    }

    private void ReadNotes()
    {
        _noteCount = PresenceNotes.Read(new StateFileStream(_notes), _notesHeader, Header.PartCount, range =>
        {
            // Their data are in the page cache, so the next commit records them like any other.
            if (_bits.Set(range.First, range.Count) > 0)
            {
                _pending.Add(range.First, range.Count);
            }
        });
        if (_noteCount == 0)
        {
            ForgetNotes();
        }
    }

    private void ForgetNotes()
    {
        _notes.SetLength(0);
        _notes.Write(0, _notesHeader);
        _noteCount = 0;
    }

    private void CheckUsable()
    {
        if (_failed)
        {
            throw new DiskSyncException(
                FailureKind.Destination,
                $"{_file.Name}: an earlier flush of the image or of this map failed, so what was written since may be lost",
                "Check the storage, then start the export again.");
        }
    }

    private static DiskSyncException Lost(string image, string why, Exception? inner = null) => new(
        FailureKind.Destination,
        $"destination {image}: it was handed over before all of it had arrived, and {why}; nobody knows which of its parts are its guest's",
        "Do not start its guest. Look at the storage; what the source held when it handed over is still there.",
        inner);
}
