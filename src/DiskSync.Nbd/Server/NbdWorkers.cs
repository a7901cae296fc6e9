namespace DiskSync.Nbd.Server;

/// <summary>Threads that do what may have to wait for a medium, for all connections.</summary>
/// <remarks>
/// Thread safe. How much is queued is bounded by the connections' budgets.
/// </remarks>
internal sealed class NbdWorkers : IDisposable
{
    private readonly NbdQueue<Action> _jobs = new();
    private readonly Thread[] _threads;

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
    public void Do(Action job) => ObjectDisposedException.ThrowIf(!_jobs.Add(job), this);

    /// <summary>Ends the threads once all that was queued is done.</summary>
    public void Dispose()
    {
        _jobs.Close();
        foreach (Thread thread in _threads)
        {
            thread.Join();
        }
    }

    private void Work()
    {
        while (_jobs.TryTake(out Action job))
        {
            job();
        }
    }
}
