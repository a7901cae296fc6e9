using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Comparison;

/// <summary>A block map's runs, taken in whatever lengths the reader needs. Not thread safe.</summary>
internal sealed class MapRuns(BlockMapFile map)
{
    private MapRun _left;

    /// <summary>Whether all blocks were taken.</summary>
    public bool IsAtEnd { get; private set; }

    /// <summary>Takes the next run, cut to a length; a run of no blocks at the end.</summary>
    /// <exception cref="DiskSyncException">The map is damaged, or does not know a block's hash.</exception>
    public MapRun Take(long most)
    {
        if (_left.Count == 0 && !IsAtEnd && !map.TryRead(out _left))
        {
            IsAtEnd = true;
        }

        if (IsAtEnd)
        {
            return default;
        }

        if (_left.Hash.IsUnknown)
        {
            throw new DiskSyncException(
                FailureKind.Source,
                $"block map {map.Name}: some blocks have no hash, so it cannot be the base of a delta",
                "Make a whole map of the base: disksync map IMAGE -o FILE.");
        }

        long count = Math.Min(most, _left.Count);
        var taken = new MapRun(count, _left.Hash);
        _left = _left with { Count = _left.Count - count };
        return taken;
    }
}
