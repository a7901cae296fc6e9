namespace DiskSync.Nbd.Server;

/// <summary>What one thread leaves for others to take, until it is closed and empty.</summary>
/// <remarks>
/// Thread safe. The runtime's blocking collection lets each thread spin before it sleeps, which took a tenth of all
/// processor time.
/// </remarks>
/// <typeparam name="T">What is left.</typeparam>
internal sealed class NbdQueue<T>
{
    // Monitor and not Lock: waiting for an item needs it.
    private readonly object _gate = new();
    private readonly Queue<T> _items = [];
    private bool _isClosed;

    /// <summary>Leaves an item.</summary>
    /// <returns>False where the queue is closed; the item was not left then.</returns>
    public bool Add(T item)
    {
        lock (_gate)
        {
            if (_isClosed)
            {
                return false;
            }

            _items.Enqueue(item);
            Monitor.Pulse(_gate);
            return true;
        }
    }

    /// <summary>Waits for an item.</summary>
    /// <returns>False where the queue is closed and all that was left has been taken.</returns>
    public bool TryTake(out T item)
    {
        lock (_gate)
        {
            while (_items.Count == 0)
            {
                if (_isClosed)
                {
                    item = default!;
                    return false;
                }

                Monitor.Wait(_gate);
            }

            item = _items.Dequeue();
            return true;
        }
    }

    /// <summary>Takes no more items; who waits takes what is left and goes.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _isClosed = true;
            Monitor.PulseAll(_gate);
        }
    }
}
