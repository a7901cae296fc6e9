namespace DiskSync.Nbd.Client;

/// <summary>How many requests, and bytes of them, may be under way; who wants more waits in turn.</summary>
/// <remarks>Thread safe. What was taken must be given back exactly once, and waiting may be given up by nobody but <see cref="Close"/> and the caller's token.</remarks>
/// <param name="requests">The most requests.</param>
/// <param name="bytes">The most bytes; a request that is longer goes alone.</param>
internal sealed class NbdFlow(int requests, long bytes)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Waiter> _waiting = [];
    private int _requests;
    private long _bytes;
    private Exception? _closed;

    /// <summary>Takes a share for one request.</summary>
    /// <param name="amount">Its bytes.</param>
    /// <param name="cancellation">Ends the waiting; nothing is taken then.</param>
    public async ValueTask TakeAsync(long amount, CancellationToken cancellation)
    {
        Waiter waiter;
        LinkedListNode<Waiter> node;
        lock (_gate)
        {
            if (_closed is { } closed)
            {
                throw closed;
            }

            if (_waiting.Count == 0 && Fits(amount))
            {
                Add(amount);
                return;
            }

            waiter = new Waiter(amount);
            node = _waiting.AddLast(waiter);
        }

        await using (cancellation.Register(() => GiveUp(node, cancellation)).ConfigureAwait(false))
        {
            await waiter.Turn.Task.ConfigureAwait(false);
        }
    }

    /// <summary>Gives a share back.</summary>
    public void Return(long amount)
    {
        lock (_gate)
        {
            _requests--;
            _bytes -= amount;
            LetIn();
        }
    }

    /// <summary>Lets nobody take any more; who waits gets the exception.</summary>
    public void Close(Exception why)
    {
        lock (_gate)
        {
            _closed ??= why;
            foreach (Waiter waiter in _waiting)
            {
                waiter.Turn.TrySetException(why);
            }

            _waiting.Clear();
        }
    }

    private void GiveUp(LinkedListNode<Waiter> node, CancellationToken cancellation)
    {
        lock (_gate)
        {
            // Whoever has had his turn already goes on.
            if (node.List is null)
            {
                return;
            }

            _waiting.Remove(node);
            node.Value.Turn.TrySetCanceled(cancellation);
            LetIn();
        }
    }

    private void LetIn()
    {
        while (_waiting.First is { } first && Fits(first.Value.Amount))
        {
            _waiting.RemoveFirst();
            Add(first.Value.Amount);
            first.Value.Turn.TrySetResult();
        }
    }

    private bool Fits(long amount) => _requests == 0 || (_requests < requests && _bytes + amount <= bytes);

    private void Add(long amount)
    {
        _requests++;
        _bytes += amount;
    }

    private sealed class Waiter(long amount)
    {
        public long Amount => amount;

        public TaskCompletionSource Turn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
