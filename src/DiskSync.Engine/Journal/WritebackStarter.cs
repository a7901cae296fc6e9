using DiskSync.Engine.Blocks;

namespace DiskSync.Engine.Journal;

/// <summary>Has the kernel begin to write what has been received, so that the flush at the end finds little left to do.</summary>
/// <remarks>
/// Left alone the kernel waits for half a minute or for a tenth of the memory to be dirty; the medium is idle meanwhile
/// and everybody waits for it at the checkpoint. Windows are written when they are full: piece by piece the file
/// system would place them piece by piece. Thread safe.
/// </remarks>
/// <param name="device">The image; stays its opener's.</param>
internal sealed class WritebackStarter(IBlockDevice device)
{
    private const long Window = 16L << 20;

    // Windows that are begun and not full; a scattered write fills none, and the checkpoint takes care of it.
    private const int MaxOpen = 256;

    private readonly Lock _lock = new();
    private readonly Dictionary<long, long> _filled = [];

    /// <summary>Takes note of a write that lies in one window or crosses into the next.</summary>
    public void Wrote(long offset, long length)
    {
        long window = offset / Window;
        lock (_lock)
        {
            long filled = _filled.GetValueOrDefault(window) + length;
            if (filled < Window)
            {
                if (_filled.Count >= MaxOpen)
                {
                    _filled.Clear();
                }

                _filled[window] = filled;
                return;
            }

            _filled.Remove(window);
        }

        device.BeginWriteback(window * Window, Window);
    }
}
