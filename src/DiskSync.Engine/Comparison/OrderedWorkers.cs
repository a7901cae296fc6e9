using System.Runtime.ExceptionServices;

namespace DiskSync.Engine.Comparison;

/// <summary>Works on a sequence of items with several threads and hands the results over in the items' order.</summary>
/// <remarks>
/// One worker owns an item from reading to result; there is no other hand-off. At most <c>window</c> items are begun
/// and not yet handed over, which bounds the memory: a slow consumer stops the readers. The first failure in the
/// order of the items (not of time) is the one thrown, so that a run on a bad disk always names the same offset.
/// </remarks>
/// <typeparam name="TItem">What is worked on.</typeparam>
/// <typeparam name="TResult">What comes out.</typeparam>
internal sealed class OrderedWorkers<TItem, TResult>
{
    private readonly object _gate = new();
    private readonly IEnumerator<TItem> _items;
    private readonly Slot[] _slots;
    private readonly CancellationToken _cancellation;
    private long _begun;
    private long _handedOver;
    private bool _noMore;
    private bool _stop;

    private OrderedWorkers(IEnumerator<TItem> items, int window, CancellationToken cancellation)
    {
        _items = items;
        _slots = new Slot[window];
        _cancellation = cancellation;
    }

    /// <summary>Runs to the end of the items.</summary>
    /// <param name="items">Enumerated under a lock, by whichever worker is free.</param>
    /// <param name="workers">How many threads, each with a worker of its own from <paramref name="createWorker"/>.</param>
    /// <param name="createWorker">Makes a worker; it is disposed when its thread ends.</param>
    /// <param name="handOver">Takes an item and its result, in order, on the calling thread.</param>
    /// <param name="cancellation">Stops between items.</param>
    /// <param name="itemsPerWorker">How many items may be begun and not handed over, for each worker.</param>
    public static void Run(
        IEnumerable<TItem> items,
        int workers,
        Func<IItemWorker<TItem, TResult>> createWorker,
        Action<TItem, TResult> handOver,
        CancellationToken cancellation,
        int itemsPerWorker = 4)
    {
        using IEnumerator<TItem> source = items.GetEnumerator();
        var run = new OrderedWorkers<TItem, TResult>(source, workers * itemsPerWorker, cancellation);
        var threads = new Thread[workers];
        using CancellationTokenRegistration wake = cancellation.Register(run.Stop);
        for (int i = 0; i < workers; i++)
        {
            threads[i] = new Thread(() => run.Work(createWorker)) { IsBackground = true, Name = $"compare {i}" };
            threads[i].Start();
        }

        try
        {
            run.HandOver(handOver);
        }
        finally
        {
            run.Stop();
            foreach (Thread thread in threads)
            {
                thread.Join();
            }
        }
    }

    private void Stop()
    {
        lock (_gate)
        {
            _stop = true;
            Monitor.PulseAll(_gate);
        }
    }

    private void Work(Func<IItemWorker<TItem, TResult>> createWorker)
    {
        IItemWorker<TItem, TResult>? worker = null;
        try
        {
            while (TryBegin(out long ticket, out TItem item, out ExceptionDispatchInfo? failure))
            {
                TResult? result = default;
                if (failure is null)
                {
                    try
                    {
                        worker ??= createWorker();
                        result = worker.Work(item);
                    }
#pragma warning disable CA1031 // Rethrown on the calling thread, in the order of the items.
                    catch (Exception caught)
#pragma warning restore CA1031
                    {
                        failure = ExceptionDispatchInfo.Capture(caught);
                    }
                }

                lock (_gate)
                {
                    _slots[ticket % _slots.Length] = new Slot(true, item, result, failure);
                    Monitor.PulseAll(_gate);
                }
            }
        }
        finally
        {
            worker?.Dispose();
        }
    }

    private bool TryBegin(out long ticket, out TItem item, out ExceptionDispatchInfo? failure)
    {
        lock (_gate)
        {
            while (!_stop && !_noMore && _begun - _handedOver >= _slots.Length)
            {
                Monitor.Wait(_gate);
            }

            ticket = _begun;
            item = default!;
            failure = null;
            if (_stop || _noMore)
            {
                return false;
            }

            try
            {
                if (!_items.MoveNext())
                {
                    _noMore = true;
                    Monitor.PulseAll(_gate);
                    return false;
                }

                item = _items.Current;
            }
#pragma warning disable CA1031 // As above: an enumeration asks the file system for extents, which may fail.
            catch (Exception caught)
#pragma warning restore CA1031
            {
                failure = ExceptionDispatchInfo.Capture(caught);
                _noMore = true;
            }

            _begun++;
            return true;
        }
    }

    private void HandOver(Action<TItem, TResult> handOver)
    {
        while (true)
        {
            Slot slot;
            lock (_gate)
            {
                while (!_slots[_handedOver % _slots.Length].Ready && !(_noMore && _handedOver == _begun) && !_stop)
                {
                    Monitor.Wait(_gate);
                }

                _cancellation.ThrowIfCancellationRequested();
                slot = _slots[_handedOver % _slots.Length];
                if (!slot.Ready)
                {
                    return;
                }
            }

            slot.Failure?.Throw();
            handOver(slot.Item, slot.Result!);
            lock (_gate)
            {
                _slots[_handedOver % _slots.Length] = default;
                _handedOver++;
                Monitor.PulseAll(_gate);
            }
        }
    }

    private readonly record struct Slot(bool Ready, TItem Item, TResult? Result, ExceptionDispatchInfo? Failure);
}
