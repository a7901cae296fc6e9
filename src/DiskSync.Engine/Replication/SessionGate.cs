namespace DiskSync.Engine.Replication;

/// <summary>Lets the batches of several connections in together, and what must find nothing being written alone.</summary>
/// <remarks>Thread safe; entering does not block a thread.</remarks>
internal sealed class SessionGate : IDisposable
{
    // More than a session can have connections, each of which applies one batch at a time.
    private const int Places = 64;

    private readonly SemaphoreSlim _places = new(Places, Places);
    private readonly SemaphoreSlim _alone = new(1, 1);

    /// <summary>Whether anybody is inside at this moment.</summary>
    public bool IsBusy => _places.CurrentCount < Places;

    /// <summary>Enters beside others.</summary>
    public Task EnterAsync(CancellationToken cancellationToken) => _places.WaitAsync(cancellationToken);

    /// <summary>Leaves what <see cref="EnterAsync"/> entered.</summary>
    public void Leave() => _places.Release();

    /// <summary>Enters alone; disposing what is returned leaves.</summary>
    public async Task<IDisposable> EnterAloneAsync(CancellationToken cancellationToken)
    {
        await _alone.WaitAsync(cancellationToken);
        int taken = 0;
        try
        {
            for (; taken < Places; taken++)
            {
                await _places.WaitAsync(cancellationToken);
            }
        }
        catch
        {
            Free(taken);
            throw;
        }

        return new Exit(this);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _places.Dispose();
        _alone.Dispose();
    }

    private void Free(int places)
    {
        if (places > 0)
        {
            _places.Release(places);
        }

        _alone.Release();
    }

    private sealed class Exit(SessionGate gate) : IDisposable
    {
        public void Dispose() => gate.Free(Places);
    }
}
