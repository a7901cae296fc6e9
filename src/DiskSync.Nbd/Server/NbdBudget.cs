namespace DiskSync.Nbd.Server;

/// <summary>How much may be under way at once; who wants more waits.</summary>
/// <remarks>Thread safe. What was taken must be given back exactly once.</remarks>
/// <param name="limit">The most.</param>
internal sealed class NbdBudget(long limit)
{
    // Monitor and not Lock: waiting for a change needs it.
    private readonly object _gate = new();
    private long _taken;
    private bool _isClosed;

    /// <summary>Takes a share, waiting until there is enough.</summary>
    /// <returns>False where the budget was closed meanwhile; nothing was taken then.</returns>
    public bool Take(long amount)
    {
        lock (_gate)
        {
            // One that is larger than all there is would wait for ever; it goes alone.
            while (_taken > 0 && _taken + amount > limit && !_isClosed)
            {
                Monitor.Wait(_gate);
            }

            if (_isClosed)
            {
                return false;
            }

            _taken += amount;
            return true;
        }
    }

    /// <summary>Gives a share back.</summary>
    public void Return(long amount)
    {
        lock (_gate)
        {
            _taken -= amount;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Waits until nothing is taken any more.</summary>
    public void WaitUntilFree()
    {
        lock (_gate)
        {
            while (_taken > 0)
            {
                Monitor.Wait(_gate);
            }
        }
    }

    /// <summary>Lets nobody take any more.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _isClosed = true;
            Monitor.PulseAll(_gate);
        }
    }
}
