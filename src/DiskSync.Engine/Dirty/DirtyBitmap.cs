namespace DiskSync.Engine.Dirty;

/// <summary>The blocks of one image that may differ from what the destination holds, and those that are in flight.</summary>
/// <remarks>
/// The sender claims a run with <see cref="TakeNext"/>, which clears its bits <em>before</em> anyone reads the blocks
/// (safety rule 3), sends it and gives the claim back: <see cref="Release"/> when the batch was acknowledged,
/// <see cref="Fail"/> when it was lost. No block is ever claimed twice at once (rule 2): a block marked while it is
/// claimed stays dirty and is taken only after its claim has been given back. Thread safe: one lock, held for the time
/// of one call and never during I/O. Memory: uniform stretches of 32,768 blocks cost nothing.
/// </remarks>
public sealed class DirtyBitmap
{
    private readonly Lock _lock = new();
    private readonly BitChunks _bits;
    private readonly RunSet _claims = new();

    /// <summary>Makes a bitmap in which nothing is dirty.</summary>
    /// <param name="blockCount">The number of blocks of the image, at least 0.</param>
    public DirtyBitmap(long blockCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(blockCount);
        BlockCount = blockCount;
        _bits = new BitChunks(blockCount);
    }

    /// <summary>The number of blocks of the image.</summary>
    public long BlockCount { get; }

    /// <summary>How many blocks are dirty, those that are claimed and were marked again included.</summary>
    public long Count
    {
        get
        {
            lock (_lock)
            {
                return _bits.Count;
            }
        }
    }

    /// <summary>How many blocks are in flight.</summary>
    public long ClaimedCount
    {
        get
        {
            lock (_lock)
            {
                return _claims.Count;
            }
        }
    }

    /// <summary>True where nothing is dirty and nothing is in flight, both seen at one moment.</summary>
    public bool IsDrained
    {
        get
        {
            lock (_lock)
            {
                return _bits.Count == 0 && _claims.Count == 0;
            }
        }
    }

    /// <summary>Whether a block is dirty.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The image has no such block.</exception>
    public bool IsDirty(long block)
    {
        CheckRange(block, 1);
        lock (_lock)
        {
            return _bits[block];
        }
    }

    /// <summary>The first dirty block at or after a block, or the limit where none comes before it.</summary>
    /// <param name="from">Where to search from.</param>
    /// <param name="limit">Where to stop: a search to the image's end costs a step for each uniform stretch, too much to repeat for each part.</param>
    /// <exception cref="ArgumentOutOfRangeException">The image has no such blocks.</exception>
    public long NextDirty(long from, long limit)
    {
        CheckRange(from, limit - from);
        lock (_lock)
        {
            return _bits.NextSet(from, limit);
        }
    }

    /// <summary>The first clean block at or after a block, or the limit where none comes before it.</summary>
    /// <param name="from">Where to search from.</param>
    /// <param name="limit">Where to stop.</param>
    /// <exception cref="ArgumentOutOfRangeException">The image has no such blocks.</exception>
    public long NextClean(long from, long limit)
    {
        CheckRange(from, limit - from);
        lock (_lock)
        {
            return _bits.NextClear(from, limit);
        }
    }

    /// <summary>Marks every block dirty; cheap whatever the image size.</summary>
    public void MarkAll()
    {
        lock (_lock)
        {
            _bits.Fill(0, BlockCount, value: true);
        }
    }

    /// <summary>Marks blocks dirty: call this after their content has changed and before anyone relies on the change.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The run leaves the image.</exception>
    public void Mark(long first, long count)
    {
        CheckRange(first, count);
        lock (_lock)
        {
            _bits.Fill(first, count, value: true);
        }
    }

    /// <summary>Marks blocks clean: only for blocks known to be equal at the destination (a hash comparison, a hole).</summary>
    /// <remarks>A write that races with the comparison is lost if this is called after it: clear first, then read.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The run leaves the image.</exception>
    public void Clear(long first, long count)
    {
        CheckRange(first, count);
        lock (_lock)
        {
            _bits.Fill(first, count, value: false);
        }
    }

    /// <summary>Claims the next run of dirty blocks that nobody has claimed, and clears their bits.</summary>
    /// <param name="cursor">Where to search from; moved past the run, or to the end of the image where there is none.
    /// A round begins with 0; there is no wrapping round, so that a round ends.</param>
    /// <param name="maxCount">The longest run wanted, at least 1.</param>
    /// <param name="run">The claimed run; the caller must give it back, whole or in parts.</param>
    /// <returns>False where no dirty, unclaimed block is left from the cursor on.</returns>
    public bool TakeNext(ref long cursor, int maxCount, out BlockRun run)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxCount);
        lock (_lock)
        {
            long at = Math.Max(0, cursor);
            while ((at = _bits.NextSet(at, BlockCount)) < BlockCount)
            {
                long claimedTo = _claims.EndOf(at);
                if (claimedTo > at)
                {
                    at = claimedTo;
                    continue;
                }

                long limit = Math.Min(Math.Min(BlockCount, _claims.NextFrom(at)), at + maxCount);
                long end = _bits.NextClear(at, limit);
                run = new BlockRun(at, end - at);
                _bits.Fill(at, run.Count, value: false);
                _claims.Add(at, run.Count);
                cursor = end;
                return true;
            }

            cursor = BlockCount;
            run = default;
            return false;
        }
    }

    /// <summary>Gives a claim back after its blocks were acknowledged (or found equal).</summary>
    /// <param name="run">A claimed run, a part of one, or several that adjoin.</param>
    /// <exception cref="InvalidOperationException">Not every block of the run is claimed: a bug of the caller.</exception>
    public void Release(BlockRun run) => GiveBack(run, markAgain: false);

    /// <summary>Gives a claim back after its blocks were not sent, refused or lost: they are dirty again.</summary>
    /// <param name="run">A claimed run, a part of one, or several that adjoin.</param>
    /// <exception cref="InvalidOperationException">Not every block of the run is claimed: a bug of the caller.</exception>
    public void Fail(BlockRun run) => GiveBack(run, markAgain: true);

    /// <summary>Gives back every claim and marks its blocks dirty: after a connection has been confirmed drained and closed (rule 2).</summary>
    /// <returns>How many blocks were in flight.</returns>
    public long FailAll()
    {
        lock (_lock)
        {
            foreach (BlockRun run in _claims.Runs)
            {
                _bits.Fill(run.First, run.Count, value: true);
            }

            long count = _claims.Count;
            _claims.Clear();
            return count;
        }
    }

    private void GiveBack(BlockRun run, bool markAgain)
    {
        CheckRange(run.First, run.Count);
        lock (_lock)
        {
            if (!_claims.ContainsAll(run.First, run.Count))
            {
                throw new InvalidOperationException($"blocks {run.First} to {run.End - 1} are not all claimed");
            }

            _claims.Remove(run.First, run.Count);
            if (markAgain)
            {
                _bits.Fill(run.First, run.Count, value: true);
            }
        }
    }

    private void CheckRange(long first, long count)
    {
        if (first < 0 || count < 0 || first > BlockCount || count > BlockCount - first)
        {
            throw new ArgumentOutOfRangeException(
                nameof(first), $"blocks {first} + {count} leave an image of {BlockCount} blocks");
        }
    }
}
