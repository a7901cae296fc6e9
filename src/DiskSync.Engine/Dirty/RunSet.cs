namespace DiskSync.Engine.Dirty;

/// <summary>A set of block numbers kept as sorted runs that neither overlap nor touch.</summary>
/// <remarks>
/// Meant for claims and regions: few runs, many blocks. Lookups cost O(log runs), changes O(runs) at worst (the tail
/// of an array moves). Not thread safe.
/// </remarks>
public sealed class RunSet
{
    private readonly List<BlockRun> _runs = [];

    /// <summary>How many blocks are in the set.</summary>
    public long Count { get; private set; }

    /// <summary>The runs in ascending order.</summary>
    public IReadOnlyList<BlockRun> Runs => _runs;

    /// <summary>Whether a block is in the set.</summary>
    public bool Contains(long block) => EndOf(block) > block;

    /// <summary>Whether every block of a run is in the set; true for an empty run.</summary>
    public bool ContainsAll(long first, long count) => count <= 0 || EndOf(first) >= first + count;

    /// <summary>The end of the run that holds a block, or the block itself where none does.</summary>
    public long EndOf(long block)
    {
        int i = FirstEndingAfter(block);
        return i < _runs.Count && _runs[i].First <= block ? _runs[i].End : block;
    }

    /// <summary>The first block at or after the given one that is in the set; <see cref="long.MaxValue"/> where there is none.</summary>
    public long NextFrom(long block)
    {
        int i = FirstEndingAfter(block);
        return i < _runs.Count ? Math.Max(block, _runs[i].First) : long.MaxValue;
    }

    /// <summary>Adds blocks; those in the set already stay there.</summary>
    public void Add(long first, long count)
    {
        if (count <= 0)
        {
            return;
        }

        // Runs that touch the new one (their end equals its start) are swallowed as well.
        long start = first;
        long end = first + count;
        int from = FirstEndingAfter(first - 1);
        int to = from;
        while (to < _runs.Count && _runs[to].First <= end)
        {
            start = Math.Min(start, _runs[to].First);
            end = Math.Max(end, _runs[to].End);
            Count -= _runs[to].Count;
            to++;
        }

        BlockRun merged = new(start, end - start);
        Count += merged.Count;
        if (to == from)
        {
            _runs.Insert(from, merged);
            return;
        }

        _runs[from] = merged;
        _runs.RemoveRange(from + 1, to - from - 1);
    }

    /// <summary>Removes blocks; those that are not in the set are ignored.</summary>
    public void Remove(long first, long count)
    {
        if (count <= 0)
        {
            return;
        }

        long end = first + count;
        int from = FirstEndingAfter(first);
        int to = from;
        BlockRun left = default;
        BlockRun right = default;
        while (to < _runs.Count && _runs[to].First < end)
        {
            BlockRun run = _runs[to++];
            Count -= run.Count;
            left = run.First < first ? new BlockRun(run.First, first - run.First) : left;
            right = run.End > end ? new BlockRun(end, run.End - end) : right;
        }

        _runs.RemoveRange(from, to - from);
        if (right.Count > 0)
        {
            _runs.Insert(from, right);
        }

        if (left.Count > 0)
        {
            _runs.Insert(from, left);
        }

        Count += left.Count + right.Count;
    }

    /// <summary>Removes everything.</summary>
    public void Clear()
    {
        _runs.Clear();
        Count = 0;
    }

    private int FirstEndingAfter(long block)
    {
        int low = 0;
        int high = _runs.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_runs[middle].End > block)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return low;
    }
}
