using DiskSync.Engine.Dirty;

namespace DiskSync.Engine.Journal;

/// <summary>Which blocks can be read back from the medium while others are still being written: those that a checkpoint has made durable and nobody has written since.</summary>
/// <remarks>
/// Zeros are left to the read-back at the end, which finds them by their holes. Not thread safe: the
/// <see cref="TargetStore"/> that owns it calls it under its lock. One stretch is taken at a time.
/// </remarks>
/// <param name="blockCount">The number of blocks of the image.</param>
internal sealed class EarlyReadBack(long blockCount)
{
    // Written since the checkpoint before; or, while a checkpoint flushes, since it began.
    private DirtyBitmap _written = new(blockCount);

    // What the checkpoint that is under way is making durable.
    private DirtyBitmap? _flushing;
    private DirtyBitmap _durable = new(blockCount);
    private long _cursor;
    private BlockRun _taken;

    /// <summary>Whether nobody has begun to write any of the stretch that was taken last.</summary>
    public bool IsUntouched { get; private set; }

    /// <summary>Blocks are about to be written.</summary>
    public void Writing(BlockRun run, bool isZero)
    {
        if (isZero)
        {
            _written.Clear(run.First, run.Count);
        }
        else
        {
            _written.Mark(run.First, run.Count);
        }

        _flushing?.Clear(run.First, run.Count);
        _durable.Clear(run.First, run.Count);
        IsUntouched &= run.End <= _taken.First || run.First >= _taken.End;
    }

    /// <summary>A checkpoint begins.</summary>
    /// <param name="writing">What is being written now: it may reach the medium after the flush.</param>
    public void BeginCheckpoint(IEnumerable<BlockRun> writing)
    {
        (_flushing, _written) = (_written, new DirtyBitmap(blockCount));
        foreach (BlockRun run in writing)
        {
            _flushing.Clear(run.First, run.Count);
            _written.Mark(run.First, run.Count);
        }
    }

    /// <summary>What had been written when the checkpoint began is durable.</summary>
    public void EndCheckpoint()
    {
        long cursor = 0;
        while (_flushing!.TakeNext(ref cursor, int.MaxValue, out BlockRun run))
        {
            _durable.Mark(run.First, run.Count);
        }

        _flushing = null;
        _cursor = 0;
    }

    /// <summary>Takes a stretch to read back.</summary>
    /// <param name="maxCount">The most blocks.</param>
    /// <param name="run">The stretch.</param>
    /// <returns>False where nothing is left before the next checkpoint.</returns>
    public bool TryTake(int maxCount, out BlockRun run)
    {
        bool found = _durable.TakeNext(ref _cursor, maxCount, out run);
        if (found)
        {
            _durable.Release(run);
            (_taken, IsUntouched) = (run, true);
        }

        return found;
    }

    /// <summary>Nothing is left to read early: all that is unread is about to be read.</summary>
    public void Forget()
    {
        _durable = new DirtyBitmap(blockCount);
        IsUntouched = false;
    }
}
