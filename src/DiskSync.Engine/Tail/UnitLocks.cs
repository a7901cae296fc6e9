namespace DiskSync.Engine.Tail;

/// <summary>Locks on ranges of an image, in units: who writes where something is missing, and who puts there what was fetched, exclude each other.</summary>
/// <remarks>Thread safe. A caller takes one range at a time, all of it at once, so nobody waits in a circle.</remarks>
internal sealed class UnitLocks
{
    // Monitor and not Lock: waiting for a change needs it.
    private readonly object _gate = new();
    private readonly HashSet<long> _taken = [];

    /// <summary>Takes a range, waiting until all of it is free.</summary>
    /// <param name="first">Its first unit.</param>
    /// <param name="end">The unit after its last.</param>
    /// <returns>Dispose it to let go.</returns>
    public Held Take(long first, long end)
    {
        lock (_gate)
        {
            while (IsTaken(first, end))
            {
                Monitor.Wait(_gate);
            }

            for (long unit = first; unit < end; unit++)
            {
                _taken.Add(unit);
            }
        }

        return new Held(this, first, end);
    }

    private bool IsTaken(long first, long end)
    {
        for (long unit = first; unit < end; unit++)
        {
            if (_taken.Contains(unit))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A range that is held.</summary>
    internal readonly struct Held(UnitLocks locks, long first, long end) : IDisposable
    {
        /// <inheritdoc/>
        public void Dispose()
        {
            lock (locks._gate)
            {
                for (long unit = first; unit < end; unit++)
                {
                    locks._taken.Remove(unit);
                }

                Monitor.PulseAll(locks._gate);
            }
        }
    }
}
