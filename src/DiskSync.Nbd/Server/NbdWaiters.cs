namespace DiskSync.Nbd.Server;

/// <summary>Threads for requests that may wait for any time: one for each, made when it is needed and kept for a while.</summary>
/// <remarks>
/// Thread safe. Beyond the most threads, requests wait for one of these to be free; never for, or with, those of <see cref="NbdWorkers"/>.
/// </remarks>
/// <param name="most">The most threads.</param>
internal sealed class NbdWaiters(int most) : IDisposable
{
    private const int Stack = 256 << 10;
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(10);

    // Monitor and not Lock: waiting for a job needs it.
    private readonly object _gate = new();
    private readonly Queue<Action> _jobs = [];
    private int _threads;
    private int _free;
    private bool _isClosed;

    /// <summary>Has something done.</summary>
    /// <param name="job">Must not throw.</param>
    public void Do(Action job)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            _jobs.Enqueue(job);
            if (_free >= _jobs.Count || _threads == most)
            {
                Monitor.Pulse(_gate);
                return;
            }

            _threads++;
        }

        new Thread(Work, Stack) { IsBackground = true, Name = "nbd waiter" }.Start();
    }

    /// <summary>Ends the threads once all that was queued is done.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isClosed = true;
            Monitor.PulseAll(_gate);
            while (_threads > 0)
            {
                Monitor.Wait(_gate);
            }
        }
    }

    private void Work()
    {
        while (TryTake() is { } job)
        {
            job();
        }
    }

    private Action? TryTake()
    {
        lock (_gate)
        {
            _free++;
            while (_jobs.Count == 0 && !_isClosed)
            {
                if (!Monitor.Wait(_gate, Idle) && _jobs.Count == 0)
                {
                    break;
                }
            }

            _free--;
            if (_jobs.TryDequeue(out Action? job))
            {
                return job;
            }

            _threads--;
            Monitor.PulseAll(_gate);
            return null;
        }
    }
}
