using System.Runtime.ExceptionServices;

namespace DiskSync.Engine.Tail;

/// <summary>A unit on its way from the source; who needs it meanwhile waits for this one.</summary>
internal sealed class UnitFetch
{
    // Monitor and not Lock: waiting for a change needs it.
    private readonly object _gate = new();
    private bool _isDone;
    private Exception? _failure;

    /// <summary>Waits until it is there.</summary>
    /// <exception cref="Exception">Why it did not come.</exception>
    public void Wait()
    {
        lock (_gate)
        {
            while (!_isDone)
            {
                Monitor.Wait(_gate);
            }
        }

        if (_failure is not null)
        {
            ExceptionDispatchInfo.Throw(_failure);
        }
    }

    /// <summary>Ends the wait of all; only the first call counts.</summary>
    /// <param name="failure">Why it did not come; null where it did.</param>
    public void End(Exception? failure)
    {
        lock (_gate)
        {
            if (!_isDone)
            {
                (_isDone, _failure) = (true, failure);
                Monitor.PulseAll(_gate);
            }
        }
    }
}
