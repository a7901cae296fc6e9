using DiskSync.Engine.Dirty;

namespace DiskSync.Engine.Tracking;

/// <summary>Keeps blocks that are written again and again out of the rounds: what is sent of them is old before it has arrived.</summary>
/// <remarks>
/// A block is hot while it is written between each two rounds. It waits until a round finds that it was left alone, and else for
/// the last one, which takes everything. Memory: three bits a block where anything is written. Not thread safe.
/// </remarks>
public sealed class HotBlocks
{
    private readonly long _blockCount;
    private DirtyBitmap _written;
    private DirtyBitmap _waiting;

    /// <summary>Begins with nothing hot.</summary>
    /// <param name="blockCount">The image's blocks.</param>
    public HotBlocks(long blockCount)
    {
        _blockCount = blockCount;
        _written = new DirtyBitmap(blockCount);
        _waiting = new DirtyBitmap(blockCount);
    }

    /// <summary>How many blocks wait.</summary>
    public long Count => _waiting.Count;

    /// <summary>Whether a block waits.</summary>
    public bool IsWaiting(long block) => _waiting.IsDirty(block);

    /// <summary>Gives a round what it is to send.</summary>
    /// <param name="written">What was written since the last round; kept, not to be used any more.</param>
    /// <param name="round">Where the round's blocks are marked.</param>
    /// <param name="isLast">Whether nothing may wait any more.</param>
    public void Split(DirtyBitmap written, DirtyBitmap round, bool isLast)
    {
        ArgumentNullException.ThrowIfNull(written);
        ArgumentNullException.ThrowIfNull(round);
        DirtyBitmap waiting = new(_blockCount);
        foreach (BlockRun run in Runs(written))
        {
            for (long block = run.First; block < run.End; block++)
            {
                (!isLast && _written.IsDirty(block) ? waiting : round).Mark(block, 1);
            }
        }

        foreach (BlockRun run in Runs(_waiting))
        {
            for (long block = run.First; block < run.End; block++)
            {
                if (!waiting.IsDirty(block))
                {
                    round.Mark(block, 1);
                }
            }
        }

        (_written, _waiting) = (written, waiting);
    }

    private IEnumerable<BlockRun> Runs(DirtyBitmap bitmap)
    {
        // A search to the image's end costs a step for each uniform stretch, of which even the largest image has few thousand.
        long cursor = 0;
        while ((cursor = bitmap.NextDirty(cursor, _blockCount)) < _blockCount)
        {
            long end = cursor + 1;
            while (end < _blockCount && bitmap.IsDirty(end))
            {
                end++;
            }

            yield return new BlockRun(cursor, end - cursor);
            cursor = end;
        }
    }
}
