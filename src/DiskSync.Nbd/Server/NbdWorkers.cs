namespace DiskSync.Nbd.Server;

/// <summary>Threads that do what may have to wait for a medium, for all connections.</summary>
/// <remarks>
/// Thread safe. How much is queued is bounded by the connections' budgets. A plain queue: the runtime's blocking
/// collection lets each thread spin before it sleeps, which took a tenth of all processor time.
/// </remarks>
internal sealed class NbdWorkers : IDisposable
{
    // Monitor and not Lock: waiting for a job needs it.
    private readonly object _gate = new();
    private readonly Queue<Action> _jobs = [];
    private readonly Thread[] _threads;
    private bool _isClosed;

    /// <summary>Starts the threads.</summary>
    /// <param name="count">How many.</param>
    public NbdWorkers(int count)
    {
        _threads = new Thread[count];
        for (int i = 0; i < count; i++)
        {
            _threads[i] = new Thread(Work) { IsBackground = true, Name = $"nbd worker {i}" };
            _threads[i].Start();
        }
    }

    /// <summary>Has something done.</summary>
    /// <param name="job">Must not throw.</param>
    public void Do(Action job)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            _jobs.Enqueue(job);
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Ends the threads once all that was queued is done.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isClosed = true;
            Monitor.PulseAll(_gate);
        }

        foreach (Thread thread in _threads)
        {
            thread.Join();
        }
    }

    private void Work()
    {
        while (Next() is { } job)
        {
            job();
        }
    }

    private Action? Next()
    {
        lock (_gate)
        {
            while (_jobs.Count == 0)
            {
                if (_isClosed)
                {
                    return null;
                }

                Monitor.Wait(_gate);
            }

            return _jobs.Dequeue();
        }
    }
}
