using DiskSync.Codecs;
using DiskSync.Engine;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Journal;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Journal;
using DiskSync.Formats.Wire;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.TestSupport.PowerCuts;

/// <summary>A source, and a target on a <see cref="SimulatedMedium"/>, with everything that may happen to them.</summary>
/// <remarks>
/// After every stop, what the target's journal claims is checked against the medium, and what was promised durably
/// before the stop must still be claimed. Everything follows from the seed and the calls. Not thread safe.
/// </remarks>
public sealed class PowerCutWorld : IDisposable
{
    private readonly Random _random;
    private readonly BlockGeometry _geometry;
    private readonly SourceImage _source;
    private readonly SimulatedMedium _medium;
    private readonly SimulatedImage _image;
    private readonly SimulatedFile _mapFile;
    private readonly SimulatedJournalPlace _place;

    // Pages that a checkpoint has proven and nobody has withdrawn since.
    private readonly HashSet<long> _proven = [];
    private bool _cutWhenStopped;
    private bool _hasJournal;
    private ulong _fence;
    private TargetStore? _store;

    /// <summary>Makes a world.</summary>
    /// <param name="seed">What all chances follow from.</param>
    /// <param name="takenOut">A flush to take out, to see that this is noticed.</param>
    public PowerCutWorld(int seed, FlushPoint takenOut = FlushPoint.None)
    {
        _random = new Random(seed);
        int granularity = 4096 << _random.Next(3);
        _geometry = new BlockGeometry(
            (granularity * _random.NextInt64(1, 256 * 24)) - _random.Next(granularity), granularity);
        _source = new SourceImage(_geometry, _random);
        _medium = new SimulatedMedium(seed) { TakenOut = takenOut };
        _image = _medium.CreateImage("image", _geometry.Length);
        _mapFile = _medium.CreateStateFile("map");
        _place = new SimulatedJournalPlace(_medium);
        bool fresh = _random.Next(3) > 0;
        if (!fresh)
        {
            LeaveOldContent();
        }

        TransferJournal.Create(_place, _geometry, fresh, proven: fresh, fence: 0).Dispose();
        _hasJournal = true;
        Open();
    }

    /// <summary>What happened, counted.</summary>
    public PowerCutCounts Counts { get; } = new();

    /// <summary>The guest writes.</summary>
    public void WriteSource()
    {
        for (int i = _random.Next(1, 4); i > 0; i--)
        {
            _source.WriteSomething();
        }
    }

    /// <summary>Stops the machine some operations from now.</summary>
    /// <param name="operations">How many.</param>
    /// <param name="cut">Whether the power is cut; else the process is killed and nothing is lost.</param>
    public void StopAfter(int operations, bool cut)
    {
        _cutWhenStopped = cut;
        _medium.StopAfter(operations);
    }

    /// <summary>Lets an operation some operations from now fail.</summary>
    public void FailAfter(int operations) => _medium.FailAfter(operations);

    /// <summary>A round: blocks that differ from what the map says are written.</summary>
    /// <param name="part">How many of them, from 0 to 1.</param>
    public void Round(double part) => Try(store =>
    {
        Counts.Rounds++;
        foreach (long block in DifferingBlocks(store.Map))
        {
            if (part < 1 && _random.NextDouble() >= part)
            {
                continue;
            }

            byte[] content = _source.Read(block);
            if (ZeroCheck.IsZero(content))
            {
                store.ZeroRun(block, 1);
            }
            else
            {
                WriteWholeOrChanged(store, block, content);
            }
        }
    });

    /// <summary>A checkpoint.</summary>
    public void Checkpoint() => Try(store =>
    {
        store.Checkpoint();
        Counts.Checkpoints++;
    });

    /// <summary>Reads back what was written; nothing may be wrong.</summary>
    public void ReadBack() => Try(store =>
    {
        ReadBackResult result = store.ReadBack((_, _) => { }, CancellationToken.None);
        Require(result.Wrong.Count == 0, $"blocks {string.Join(", ", result.Wrong)} do not hold what was written");
    });

    /// <summary>Reads some of it back early; it may be the medium that is not up to it.</summary>
    public void ReadBackEarly() => Try(store =>
    {
        for (int i = _random.Next(1, 6); i > 0; i--)
        {
            Counts.EarlyReads += store.ReadBackEarly() ? 1 : 0;
        }
    });

    /// <summary>The machine stops now.</summary>
    /// <param name="cut">Whether the power is cut; else the process is killed and nothing is lost.</param>
    public void Stop(bool cut)
    {
        if (cut)
        {
            Counts.PowerCuts++;
            _medium.PowerCut();
        }
        else
        {
            Counts.Kills++;
            _medium.Calm();
        }

        _store = null;
        CheckClaims(afterCut: cut);
        Open();
    }

    /// <summary>Copies what is left without any trouble, and checks that nothing is different, now or after one more power cut.</summary>
    public void Finish()
    {
        _medium.Calm();
        Round(1);
        ReadBack();
        CheckIdentical();
        Hash256 root = _store!.Root();
        RootHasher expected = new(_geometry);
        for (long block = 0; block < _geometry.BlockCount; block++)
        {
            expected.Append(_source.HashOf(block));
        }

        Require(root == expected.Finish(), "the destination's root is not the source's");
        Stop(cut: true);
        Require(
            _medium.TakenOut != FlushPoint.None || _store!.UnreadBlocks == 0, "a durable copy that was read back does not say so");
        Require(_store!.Root() == root, "the root changed with a power cut after the last checkpoint");
        CheckIdentical();
    }

    /// <inheritdoc/>
    public void Dispose() => _store?.Dispose();

    private void Try(Action<TargetStore> action)
    {
        try
        {
            action(_store!);
        }
        catch (PowerCutException)
        {
            Stop(_cutWhenStopped);
        }
        catch (DiskSyncException)
        {
            // A simulated failure ends the session; the next one finds the cache as it was.
            Counts.Failures++;
            Stop(cut: false);
        }
    }

    /// <summary>What a receiver does when a source comes back.</summary>
    private void Open()
    {
        try
        {
            OpenOnce();
        }
        catch (PowerCutException)
        {
            Stop(_cutWhenStopped);
        }
        catch (DiskSyncException)
        {
            Counts.Failures++;
            Stop(cut: false);
        }
    }

    private void OpenOnce()
    {
        TransferJournal? journal = TransferJournal.Open(_place, out JournalDamage? damage, PowerCutRun.CompactAfter);
        if (journal is null)
        {
            Counts.DamagedJournals++;
            Require(
                damage is null || _place.Current!.HasLostWrites,
                $"a power cut alone damaged the journal: {damage?.Explanation}");
            _proven.Clear();

            // Durably in this order: a map that is gone must not be spoken of by a journal that is not.
            _hasJournal = false;
            _place.Remove();
            using SimulatedStateFile old = _mapFile.Open();
            old.SetLength(0);
            old.Flush();
            journal = TransferJournal.Create(
                _place, _geometry, unstoredIsZero: false, proven: false, _fence, PowerCutRun.CompactAfter);
            _hasJournal = true;
        }

        PagedMap map = new(_geometry, _mapFile.Open(), journal.Header.UnstoredIsZero);
        _medium.Phase = FlushPoint.Session;
        journal.BeginSession(Guid.NewGuid());
        _medium.Phase = FlushPoint.None;
        Require(journal.FenceNumber > _fence, $"fence {journal.FenceNumber} came after {_fence}");
        _fence = journal.FenceNumber;
        _store = new TargetStore(
            _image.Open(), map, new ObservedJournal(journal, _medium, _proven), journal.WithdrawnPages(), journal.UnreadPages(),
            mapIsCurrent: false)
        {
            // The order of the reads must follow from the seed alone.
            Readers = 1,
        };
        Counts.HashedBytes += _store.HashUnknown((_, _) => { }, CancellationToken.None);
    }

    /// <summary>Everything that the journal claims is true on the medium, and nothing is missing that was promised.</summary>
    private void CheckClaims(bool afterCut)
    {
        using TransferJournal? journal = TransferJournal.Open(_place, out JournalDamage? damage, PowerCutRun.CompactAfter);
        if (journal is null)
        {
            Require(
                _place.Current is null ? !_hasJournal : _place.Current.HasLostWrites,
                $"a power cut alone damaged the journal: {damage?.Explanation}");
            _proven.Clear();
            return;
        }

        Require(journal.FenceNumber >= _fence, $"fence {_fence} was forgotten: the journal has {journal.FenceNumber}");
        HashSet<long> withdrawn = Pages(journal.WithdrawnPages());
        HashSet<long> unread = Pages(journal.UnreadPages());
        if (afterCut || !_place.Current!.HasLostWrites)
        {
            foreach (long page in _proven)
            {
                Require(!withdrawn.Contains(page), $"page {page} was claimed durably and is not claimed");
            }
        }

        using PagedMap map = new(_geometry, _mapFile.Open(), journal.Header.UnstoredIsZero);
        CheckMap(map, withdrawn);
        Require(map.DamagedPages == 0 || withdrawn.Count > 0, "a claimed page of the map is damaged");
        for (long page = 0; page < journal.Header.RegionCount; page++)
        {
            if (!withdrawn.Contains(page) && !unread.Contains(page))
            {
                long offset = _geometry.OffsetOf(page * PagedMap.PageBlocks);
                Require(
                    _image.WasReadBack(offset, (long)PagedMap.PageBlocks * _geometry.Granularity),
                    $"page {page} is said to have been read back and was not");
            }
        }
    }

    private void CheckMap(PagedMap map, HashSet<long> withdrawn)
    {
        HashSet<long> data = [.. _image.Durable.Pieces.Select(p => p * SparseBytes.PieceSize / _geometry.Granularity)];
        Hash256 zero = ZeroBlock.HashOf(_geometry.Granularity);
        long block = 0;
        foreach (HashRun run in map.GetRuns(0, _geometry.BlockCount))
        {
            for (long end = block + run.Count; block < end; block++)
            {
                if (withdrawn.Contains(block / PagedMap.PageBlocks) || (run.Hash == zero && !data.Contains(block)))
                {
                    continue;
                }

                Require(
                    !run.Hash.IsUnknown || !_proven.Contains(block / PagedMap.PageBlocks),
                    $"block {block} was claimed durably and is unknown");
                Require(
                    run.Hash.IsUnknown || run.Hash == HashOnMedium(block),
                    $"block {block} does not hold on the medium what the journal claims");
            }
        }
    }

    private void CheckIdentical()
    {
        foreach (long block in _source.DataBlocks
            .Concat(_image.Durable.Pieces.Select(p => p * SparseBytes.PieceSize / _geometry.Granularity)).Distinct())
        {
            Require(HashOnMedium(block) == _source.HashOf(block), $"block {block} is not what the source has");
        }
    }

    private Hash256 HashOnMedium(long block)
    {
        byte[] content = new byte[_geometry.LengthOf(block)];
        _image.Durable.Read(_geometry.OffsetOf(block), content);
        return Blake3.Hash(content);
    }

    /// <summary>In order, as a scan finds them, or now and then in any order.</summary>
    private long[] DifferingBlocks(PagedMap map)
    {
        HashSet<long> candidates = [.. _source.DataBlocks];
        Hash256 zero = ZeroBlock.HashOf(_geometry.Granularity);
        long block = 0;
        foreach (HashRun run in map.GetRuns(0, _geometry.BlockCount))
        {
            for (long end = block + run.Count; block < end; block++)
            {
                if (run.Hash == zero)
                {
                    block = end;
                    break;
                }

                candidates.Add(block);
            }
        }

        long[] differing = [.. candidates.Where(b => map.Get(b) != _source.HashOf(b)).Order()];
        if (_random.Next(3) == 0)
        {
            _random.Shuffle(differing);
        }

        return differing;
    }

    private void WriteWholeOrChanged(TargetStore store, long block, byte[] content)
    {
        byte[] old = new byte[content.Length];
        store.Read(block, old);
        byte[] changed = new byte[PatchPayload.BitmapLength(content.Length)];
        for (int i = 0; i < PatchPayload.SubBlocksOf(content.Length); i++)
        {
            Range part = (i * BlockGeometry.SubBlockSize)..Math.Min((i + 1) * BlockGeometry.SubBlockSize, content.Length);
            changed[i >> 3] |= (byte)(content.AsSpan(part).SequenceEqual(old.AsSpan(part)) ? 0 : 1 << (i & 7));
        }

        // Where the map only did not know that nothing differs, a receiver gets the whole block.
        if (_random.Next(2) == 0 || changed.All(b => b == 0))
        {
            store.Write(block, content, [_source.HashOf(block)]);
        }
        else
        {
            store.WriteChanged(block, content, _source.HashOf(block), changed);
        }
    }

    private void LeaveOldContent()
    {
        using SimulatedDevice device = _image.Open();
        byte[] junk = new byte[3000];
        for (int i = _random.Next(1, 40); i > 0; i--)
        {
            _random.NextBytes(junk);
            long offset = _random.NextInt64(_geometry.Length);
            device.Write(offset, junk.AsSpan(0, (int)Math.Min(junk.Length, _geometry.Length - offset)));
        }

        _image.Flush();
    }

    private static HashSet<long> Pages(IEnumerable<PageClaim> runs)
    {
        HashSet<long> pages = [];
        foreach (PageClaim run in runs)
        {
            for (long page = run.FirstPage; page < run.FirstPage + run.PageCount; page++)
            {
                pages.Add(page);
            }
        }

        return pages;
    }

    private static void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new PowerCutFailureException(otherwise);
        }
    }
}
