namespace DiskSync.Formats.Journal;

/// <summary>A set of regions, kept as ascending ranges that do not touch.</summary>
/// <remarks>Memory and the cost of a change grow with the number of ranges, not of regions. Not thread safe.</remarks>
public sealed class RegionSet
{
    private readonly List<RegionRange> _ranges = [];

    /// <summary>The ranges, ascending; none touches the next.</summary>
    public IReadOnlyList<RegionRange> Ranges => _ranges;

    /// <summary>How many regions are in the set.</summary>
    public long Count { get; private set; }

    /// <summary>Whether a region is in the set.</summary>
    public bool Contains(long region)
    {
        int at = FirstEndingAfter(region);
        return at < _ranges.Count && _ranges[at].First <= region;
    }

    /// <summary>Puts regions in.</summary>
    public void Add(RegionRange range)
    {
        (long first, long end) = Cut(range, touching: true, out int at);
        _ranges.Insert(at, new RegionRange(first, end - first));
        Count += end - first;
    }

    /// <summary>Takes regions out.</summary>
    public void Remove(RegionRange range)
    {
        (long first, long end) = Cut(range, touching: false, out int at);
        long from = range.First;
        long to = range.First + range.Count;
        if (end > to)
        {
            _ranges.Insert(at, new RegionRange(to, end - to));
            Count += end - to;
        }

        if (first < from)
        {
            _ranges.Insert(at, new RegionRange(first, from - first));
            Count += from - first;
        }
    }

    /// <summary>Takes all ranges out that share a region with a range (or only touch it), and says how far they reached with it.</summary>
    private (long First, long End) Cut(RegionRange range, bool touching, out int at)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(range.First);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(range.Count);
        long first = range.First;
        long end = range.First + range.Count;
        int slack = touching ? 1 : 0;
        at = FirstEndingAfter(first - slack);
        int stop = at;
        while (stop < _ranges.Count && _ranges[stop].First < range.First + range.Count + slack)
        {
            first = Math.Min(first, _ranges[stop].First);
            end = Math.Max(end, _ranges[stop].First + _ranges[stop].Count);
            Count -= _ranges[stop].Count;
            stop++;
        }

        _ranges.RemoveRange(at, stop - at);
        return (first, end);
    }

    /// <summary>The index of the first range whose last region is at or after a region.</summary>
    private int FirstEndingAfter(long region)
    {
        int low = 0;
        int high = _ranges.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_ranges[middle].First + _ranges[middle].Count > region)
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
