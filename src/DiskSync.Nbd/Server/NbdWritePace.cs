using System.Diagnostics;

namespace DiskSync.Nbd.Server;

/// <summary>Tells whether writes are done so quickly that the connection's own thread had better do them itself.</summary>
/// <remarks>
/// A page cache takes a write in less time than it takes to hand it over. But the kernel may hold a writer up: while too
/// much is unwritten, or while the page of which a part is written has to be read first; and nothing can be asked
/// beforehand (RWF_NOWAIT for cached writes: not on ext4). So where a write has taken long, those that follow go to the
/// workers for fifty times as long: requests behind a write on the same connection wait for at most a fiftieth of the
/// time. Used by the connection's own thread.
/// </remarks>
internal sealed class NbdWritePace
{
    private const int Times = 50;
    private static readonly long Long = Stopwatch.Frequency / 1000;
    private static readonly long Longest = 2 * Stopwatch.Frequency;

    private long _quickFrom;
    private long _began;

    /// <summary>Whether the next write had better be done here.</summary>
    public bool IsQuick => _quickFrom == 0 || Stopwatch.GetTimestamp() >= _quickFrom;

    /// <summary>A write begins here.</summary>
    public void Begin() => _began = Stopwatch.GetTimestamp();

    /// <summary>It has ended.</summary>
    public void End()
    {
        long now = Stopwatch.GetTimestamp();
        _quickFrom = now - _began < Long ? 0 : now + Math.Min(Times * (now - _began), Longest);
    }
}
