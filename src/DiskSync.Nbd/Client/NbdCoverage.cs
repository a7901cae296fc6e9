namespace DiskSync.Nbd.Client;

/// <summary>Which parts of a read have come: every byte has to come, and none twice.</summary>
/// <remarks>Used by one thread.</remarks>
/// <param name="length">Bytes of the read.</param>
internal sealed class NbdCoverage(int length)
{
    // Servers send parts in order, or nearly so; what looks otherwise is not worth the memory.
    private const int MostRanges = 4096;

    private readonly List<(int Start, int End)> _ranges = [];

    /// <summary>Whether all of it has come.</summary>
    public bool IsWhole => _ranges.Count == 1 && _ranges[0] == (0, length);

    /// <summary>Notes a part that lies within the read.</summary>
    /// <returns>False where some of it has come already, or too many parts lie apart.</returns>
    public bool TryAdd(int start, int count)
    {
        int end = start + count;
        int at = _ranges.Count;
        while (at > 0 && _ranges[at - 1].Start >= end)
        {
            at--;
        }

        // All before this place begin before the part's end, so only the last of them could reach into it.
        if (at > 0 && _ranges[at - 1].End > start)
        {
            return false;
        }

        bool joinsBefore = at > 0 && _ranges[at - 1].End == start;
        bool joinsAfter = at < _ranges.Count && _ranges[at].Start == end;
        switch (joinsBefore, joinsAfter)
        {
            case (true, true):
                _ranges[at - 1] = (_ranges[at - 1].Start, _ranges[at].End);
                _ranges.RemoveAt(at);
                return true;
            case (true, false):
                _ranges[at - 1] = (_ranges[at - 1].Start, end);
                return true;
            case (false, true):
                _ranges[at] = (start, _ranges[at].End);
                return true;
            default:
                _ranges.Insert(at, (start, end));
                return _ranges.Count <= MostRanges;
        }
    }
}
