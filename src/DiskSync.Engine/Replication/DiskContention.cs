using DiskSync.Linux;

namespace DiskSync.Engine.Replication;

/// <summary>Tells from a disk's counters whether others want it and wait.</summary>
/// <remarks>
/// A disk that is busy because of this process alone is nobody's trouble, and one with others' work that has time left
/// is none either. What is ours is known by bytes, what is busy by time: an estimate. Not thread safe.
/// </remarks>
/// <param name="read">Reads the disk's counters; null where there are none.</param>
/// <param name="stalled">Reads for how long processes have waited for disks; null where nobody counts.</param>
public sealed class DiskContention(Func<DiskUse?> read, Func<TimeSpan?> stalled)
{
    private const double BusyShare = 0.7;
    private const double OthersShare = 0.1;
    private const double StalledShare = 0.05;

    // Without counters of the disk our own reading is among what waits.
    private const double StalledShareAlone = 0.4;

    private DiskUse? _last = read();
    private TimeSpan? _lastStalled = stalled();

    /// <summary>Looks at what has happened since it was asked last.</summary>
    /// <param name="interval">How long that is.</param>
    public bool Look(TimeSpan interval)
    {
        (DiskUse? before, TimeSpan? stalledBefore) = (_last, _lastStalled);
        (_last, _lastStalled) = (read(), stalled());
        double? waiting = _lastStalled is { } now && stalledBefore is { } then ? (now - then) / interval : null;
        if (_last is not { } end || before is not { } start)
        {
            return waiting > StalledShareAlone;
        }

        double bytes = Math.Max(1, end.Bytes - start.Bytes);
        double others = 1 - Math.Clamp((end.OwnBytes - start.OwnBytes) / bytes, 0, 1);
        return (end.Busy - start.Busy) / interval >= BusyShare && others >= OthersShare && waiting is null or >= StalledShare;
    }
}
