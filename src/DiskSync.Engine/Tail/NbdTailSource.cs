using DiskSync.Nbd.Client;

namespace DiskSync.Engine.Tail;

/// <summary>A source's frozen image that is served by NBD, over connections that the source makes: one for what a guest waits for, one for the rest.</summary>
/// <remarks>
/// Thread safe. While only one of the two is there it serves both. A connection that is silent is asked for a little now and
/// then, so that either end learns of its loss.
/// </remarks>
public sealed class NbdTailSource : ITailSource
{
    private static readonly TimeSpan DefaultHeartbeat = TimeSpan.FromSeconds(10);
    private readonly Lock _gate = new();
    private readonly Timer _heartbeat;
    private NbdClient? _urgent;
    private NbdClient? _other;
    private TaskCompletionSource _linked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isDisposed;

    /// <summary>Begins without a connection.</summary>
    /// <param name="heartbeat">How often each connection is asked for something; null for every ten seconds.</param>
    public NbdTailSource(TimeSpan? heartbeat = null)
    {
        TimeSpan period = heartbeat ?? DefaultHeartbeat;
        _heartbeat = new Timer(_ => Beat(), null, period, period);
    }

    /// <summary>Whether there is a connection, as far as anybody knows.</summary>
    public bool IsLinked
    {
        get
        {
            lock (_gate)
            {
                return (_urgent ?? _other) is not null;
            }
        }
    }

    /// <summary>Takes a connection, in place of the one that there was.</summary>
    /// <param name="client">The connection; owned from now on.</param>
    /// <param name="isUrgent">Whether it is for what a guest waits for.</param>
    public void Take(NbdClient client, bool isUrgent)
    {
        NbdClient? older = client;
        lock (_gate)
        {
            if (!_isDisposed)
            {
                ref NbdClient? place = ref isUrgent ? ref _urgent : ref _other;
                (older, place) = (place, client);
                _linked.TrySetResult();
            }
        }

        // What was under way on it is asked for again.
        older?.Dispose();
    }

    /// <inheritdoc/>
    public async Task ReadAsync(long offset, Memory<byte> buffer, bool isUrgent, CancellationToken cancellation)
    {
        NbdClient client = Choose(isUrgent);
        try
        {
            await client.ReadAsync(offset, buffer, cancellation);
        }
        catch (NbdServerException exception)
        {
            throw new TailSourceException($"the source cannot read at offset {offset}: {exception.Message}", exception);
        }
        catch (Exception exception) when (exception is NbdConnectionException or NbdRefusedException or IOException or ObjectDisposedException)
        {
            Drop(client);
            throw new TailLinkException(exception.Message, exception);
        }
    }

    /// <inheritdoc/>
    public Task WaitForLinkAsync(CancellationToken cancellation)
    {
        lock (_gate)
        {
            return _linked.Task.WaitAsync(cancellation);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NbdClient? urgent;
        NbdClient? other;
        lock (_gate)
        {
            _isDisposed = true;
            (urgent, other) = (_urgent, _other);
            (_urgent, _other) = (null, null);
        }

        _heartbeat.Dispose();
        urgent?.Dispose();
        other?.Dispose();
    }

    private NbdClient Choose(bool isUrgent)
    {
        lock (_gate)
        {
            return (isUrgent ? _urgent ?? _other : _other ?? _urgent) ?? throw new TailLinkException("the source is not connected");
        }
    }

    private void Drop(NbdClient lost)
    {
        lock (_gate)
        {
            _urgent = ReferenceEquals(_urgent, lost) ? null : _urgent;
            _other = ReferenceEquals(_other, lost) ? null : _other;
            if ((_urgent ?? _other) is null && _linked.Task.IsCompleted)
            {
                _linked = new(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }

        lost.Dispose();
    }

    private void Beat()
    {
        lock (_gate)
        {
            _ = BeatAsync(_urgent);
            _ = BeatAsync(_other);
        }
    }

    private async Task BeatAsync(NbdClient? client)
    {
        if (client is null || client.Export.Length == 0)
        {
            return;
        }

        // Not on the timer's thread, nor under the lock.
        await Task.Yield();
        try
        {
            byte[] little = new byte[Math.Min(client.Export.MinimumBlock, client.Export.Length)];
            await client.ReadAsync(0, little, CancellationToken.None);
        }
        catch (NbdServerException)
        {
            // It cannot read that, and so it is there.
        }
        catch (Exception exception) when (exception is NbdConnectionException or IOException or ObjectDisposedException)
        {
            Drop(client);
        }
    }
}
