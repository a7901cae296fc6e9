using DiskSync.Cli.Output;
using DiskSync.Engine.SavedMaps;

namespace DiskSync.Cli.Commands;

/// <summary>What <c>disksync clean</c> does with saved maps: nothing depends on them but the time of the next push, so nobody is asked.</summary>
internal sealed class SavedMapCleaner
{
    private readonly List<SavedMapStatus> _removed = [];
    private readonly List<SavedMapStatus> _kept = [];

    /// <summary>Removes the maps of named images, and with left-overs those that are of no use to anybody.</summary>
    /// <param name="store">The maps.</param>
    /// <param name="named">Full paths.</param>
    /// <param name="leftOvers">Whether the maps of sources that are gone, and those that cannot be read, go too.</param>
    public SavedMapCleaner(SavedMapStore store, string[] named, bool leftOvers)
    {
        foreach (SavedMapEntry entry in store.List())
        {
            bool useless = entry.Record is null || !Path.Exists(entry.Record.Source);
            if (named.Contains(entry.Record?.Source, StringComparer.Ordinal) || (leftOvers && useless))
            {
                SavedMapStore.Remove(entry);
                _removed.Add(SavedMapStatus.Of(entry));
            }
            else
            {
                _kept.Add(SavedMapStatus.Of(entry));
            }
        }
    }

    /// <summary>What was removed.</summary>
    public IReadOnlyList<SavedMapStatus> Removed => _removed;

    /// <summary>What is still there.</summary>
    public IReadOnlyList<SavedMapStatus> Kept => _kept;
}
