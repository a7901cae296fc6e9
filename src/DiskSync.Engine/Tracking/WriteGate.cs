namespace DiskSync.Engine.Tracking;

/// <summary>The fence of an export: new writes wait unanswered, those under way are drained (safety rule 3).</summary>
/// <remarks>
/// Open, then fenced, then either open again (a rollback releases the held writes) or shut for good (the image is somebody
/// else's: held writes and all later ones fail). Thread safe; costs two interlocked steps for each write while it is open.
/// </remarks>
public sealed class WriteGate : IDisposable
{
    private const int Open = 0;
    private const int Fenced = 1;
    private const int Shut = 2;

    private readonly Lock _lock = new();
    private readonly ManualResetEventSlim _decided = new(initialState: true);
    private volatile int _state;
    private int _inside;
    private int _held;
    private string _reason = string.Empty;

    /// <summary>How many writes wait at the fence.</summary>
    public int Held => Volatile.Read(ref _held);

    /// <summary>Whether new writes wait.</summary>
    public bool IsFenced => _state == Fenced;

    /// <summary>Whether writes fail for good.</summary>
    public bool IsShut => _state == Shut;

    /// <summary>Before a write: waits while the gate is fenced.</summary>
    /// <exception cref="GateShutException">The gate is shut: the write must not be done.</exception>
    public void Enter()
    {
        while (true)
        {
            Interlocked.Increment(ref _inside);
            if (_state == Open)
            {
                return;
            }

            Leave();
            Wait();
        }
    }

    /// <summary>After a write that <see cref="Enter"/> let in, once it is marked.</summary>
    public void Leave() => Interlocked.Decrement(ref _inside);

    /// <summary>Fences: from now on new writes wait, and when this returns none is under way.</summary>
    /// <param name="patience">The longest that the writes under way may take.</param>
    /// <returns>False where they took longer: the gate is as it was before, and what waited goes on.</returns>
    public bool Fence(TimeSpan patience)
    {
        lock (_lock)
        {
            if (_state != Open)
            {
                return true;
            }

            _decided.Reset();
            _state = Fenced;

            // Who entered before sees the gate open and is counted; who enters from here on sees it fenced.
            Interlocked.MemoryBarrier();
            bool isDrained = SpinWait.SpinUntil(() => Volatile.Read(ref _inside) == 0, patience);
            if (!isDrained)
            {
                Reopen();
            }

            return isDrained;
        }
    }

    /// <summary>Opens again: what was held goes on. Does nothing where the gate is open or shut.</summary>
    public void Release()
    {
        lock (_lock)
        {
            Reopen();
        }
    }

    /// <summary>Shuts for good: what is held and all that comes later fails.</summary>
    /// <param name="reason">Why, for messages.</param>
    public void ShutFor(string reason)
    {
        lock (_lock)
        {
            _reason = reason;
            _state = Shut;
            _decided.Set();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _decided.Dispose();

    private void Reopen()
    {
        if (_state == Fenced)
        {
            _state = Open;
            _decided.Set();
        }
    }

    private void Wait()
    {
        Interlocked.Increment(ref _held);
        try
        {
            _decided.Wait();
        }
        finally
        {
            Interlocked.Decrement(ref _held);
        }

        if (_state == Shut)
        {
            throw new GateShutException(_reason);
        }
    }
}
