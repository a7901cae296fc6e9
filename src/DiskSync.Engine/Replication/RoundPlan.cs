using DiskSync.Engine.Blocks;
using DiskSync.Engine.Dirty;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Replication;

/// <summary>Hands the dirty blocks of one round to the workers: data in small runs, holes in large ones.</summary>
/// <remarks>
/// Thread safe. The extents that it looks at were read before the claim cleared the dirty bits, so whoever takes a run
/// that is not all data must ask for its extents again (safety rule 3: clear, then read). What is called data is just
/// read: a hole that was punched meanwhile reads as zeros. Asking again there would cost a search to the next hole for
/// each run, which some file systems do page by page.
/// </remarks>
internal sealed class RoundPlan
{
    // A hole of any size is one request, but a claim must stay small enough to be shared among workers and records.
    private const int MaxHoleBlocks = 1 << 20;

    // A system call each; as many as one jump costs in a file system that keeps its extents in a tree.
    private const int StepsBeforeJump = 16;

    private readonly Lock _lock = new();
    private readonly DirtyBitmap _dirty;
    private readonly IBlockDevice _source;
    private readonly BlockGeometry _geometry;
    private readonly Queue<(BlockRun Run, bool IsData)> _givenBack = new();
    private IEnumerator<Extent>? _extents;
    private readonly Func<bool>? _isEnough;
    private long _cursor;

    /// <param name="dirty">The dirty blocks.</param>
    /// <param name="source">The image.</param>
    /// <param name="geometry">How it is cut into blocks.</param>
    /// <param name="isEnough">Asked before each claim: whether the round is to end with what has been claimed; null for never.</param>
    public RoundPlan(DirtyBitmap dirty, IBlockDevice source, BlockGeometry geometry, Func<bool>? isEnough = null)
    {
        _dirty = dirty;
        _source = source;
        _geometry = geometry;
        _isEnough = isEnough;
    }

    /// <summary>Claims the next run.</summary>
    /// <param name="maxDataBlocks">The longest run wanted where the image has data.</param>
    /// <param name="run">The claimed run.</param>
    /// <param name="isData">Whether all of it was data when it was looked at, so that it can be read without another look.</param>
    /// <returns>False where the round is over.</returns>
    public bool TryTake(int maxDataBlocks, out BlockRun run, out bool isData)
    {
        lock (_lock)
        {
            if (_givenBack.TryDequeue(out (BlockRun Run, bool IsData) part))
            {
                (run, isData) = part;
                return true;
            }

            if (_isEnough?.Invoke() == true)
            {
                (run, isData) = (default, false);
                return false;
            }

            _cursor = _dirty.NextDirty(_cursor, _geometry.BlockCount);
            int size = SizeHint(maxDataBlocks);
            bool taken = _dirty.TakeNext(ref _cursor, size, out run);
            isData = taken && IsData(run);
            return taken;
        }
    }

    /// <summary>Takes back the part of a run that did not fit; it stays claimed and is handed out next.</summary>
    public void GiveBack(BlockRun run, bool isData)
    {
        lock (_lock)
        {
            _givenBack.Enqueue((run, isData));
        }
    }

    private int SizeHint(int maxDataBlocks)
    {
        long offset = _geometry.OffsetOf(_cursor);
        if (offset >= _geometry.Length)
        {
            return maxDataBlocks;
        }

        for (int steps = 0; _extents is null || _extents.Current.End <= offset; steps++)
        {
            // Where little is dirty the next of it lies many extents ahead: they are jumped over, not walked through.
            if (_extents is null || steps == StepsBeforeJump)
            {
                _extents?.Dispose();
                _extents = _source.Extents(offset, _geometry.Length - offset).GetEnumerator();
            }

            if (!_extents.MoveNext())
            {
                return maxDataBlocks;
            }
        }

        Extent extent = _extents.Current;
        if (extent.Kind == ExtentKind.Data || extent.Offset > offset)
        {
            // To the data's end, so that the hole behind it comes as a run of its own.
            return (int)Math.Clamp((extent.End - offset + _geometry.Granularity - 1) / _geometry.Granularity, 1, maxDataBlocks);
        }

        long holeBlocks = (extent.End - offset) / _geometry.Granularity;
        return (int)Math.Clamp(holeBlocks, 1, MaxHoleBlocks);
    }

    private bool IsData(BlockRun run) =>
        _extents?.Current is { Kind: ExtentKind.Data } extent
        && extent.Offset <= _geometry.OffsetOf(run.First)
        && extent.End >= Math.Min(_geometry.OffsetOf(run.End), _geometry.Length);
}
