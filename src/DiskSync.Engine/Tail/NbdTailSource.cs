using System.Diagnostics;
using DiskSync.Nbd.Client;

namespace DiskSync.Engine.Tail;

/// <summary>A source's frozen image that is served by NBD, over connections that the source makes: one for what a guest waits for, some for the rest.</summary>
/// <remarks>
/// Thread safe. While there are none of one kind the other serves both. What is urgent comes now and then, and TCP begins anew with
/// few packets after a fifth of a second without any; so on a short way that connection is given a little of the rest meanwhile. A connection that is silent is asked for a little now and
/// then, so that either end learns of its loss.
/// </remarks>
public sealed class NbdTailSource : ITailSource
{
    private const int MostOthers = 16;

    // TCP's least time until a connection counts as idle (RFC 5681 section 4.1; Linux: 200 ms).
    private static readonly TimeSpan Idle = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan DefaultHeartbeat = TimeSpan.FromSeconds(10);
    private readonly Lock _gate = new();
    private readonly Timer _heartbeat;
    private readonly List<Way> _others = [];
    private Way? _urgent;
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
                return Any();
            }
        }
    }

    /// <summary>Takes a connection; for what is urgent in place of the one that there was.</summary>
    /// <param name="client">The connection; owned from now on.</param>
    /// <param name="isUrgent">Whether it is for what a guest waits for.</param>
    public void Take(NbdClient client, bool isUrgent)
    {
        NbdClient? older = client;
        lock (_gate)
        {
            if (!_isDisposed)
            {
                older = isUrgent ? _urgent?.Client : _others.Count == MostOthers ? _others[0].Client : null;
                _others.RemoveAll(w => ReferenceEquals(w.Client, older));
                if (isUrgent)
                {
                    _urgent = new Way(client);
                }
                else
                {
                    _others.Add(new Way(client));
                }

                _linked.TrySetResult();
            }
        }

        // What was under way on it is asked for again.
        older?.Dispose();
    }

    /// <inheritdoc/>
    public async Task ReadAsync(long offset, Memory<byte> buffer, bool isUrgent, CancellationToken cancellation)
    {
        Way way = Choose(isUrgent, buffer.Length);
        long start = Stopwatch.GetTimestamp();
        try
        {
            await way.Client.ReadAsync(offset, buffer, cancellation);
            way.Answered(start);
        }
        catch (NbdServerException exception)
        {
            throw new TailSourceException($"the source cannot read at offset {offset}: {exception.Message}", exception);
        }
        catch (Exception exception) when (exception is NbdConnectionException or NbdRefusedException or IOException or ObjectDisposedException)
        {
            Drop(way.Client);
            throw new TailLinkException(exception.Message, exception);
        }
        finally
        {
            Interlocked.Add(ref way.Bytes, -buffer.Length);
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
        Way[] all;
        lock (_gate)
        {
            _isDisposed = true;
            all = All();
            _urgent = null;
            _others.Clear();
        }

        _heartbeat.Dispose();
        foreach (Way way in all)
        {
            way.Client.Dispose();
        }
    }

    private bool Any() => _urgent is not null || _others.Count > 0;

    private Way[] All() => _urgent is null ? [.. _others] : [_urgent, .. _others];

    private Way Choose(bool isUrgent, int bytes)
    {
        lock (_gate)
        {
            Way? other = _others.MinBy(w => w.Bytes);
            Way? way = isUrgent ? _urgent ?? other : _urgent is { IsCooling: true } ? _urgent : other ?? _urgent;
            if (way is null)
            {
                throw new TailLinkException("the source is not connected");
            }

            Interlocked.Add(ref way.Bytes, bytes);
            return way;
        }
    }

    private void Drop(NbdClient lost)
    {
        lock (_gate)
        {
            _urgent = ReferenceEquals(_urgent?.Client, lost) ? null : _urgent;
            _others.RemoveAll(w => ReferenceEquals(w.Client, lost));
            if (!Any() && _linked.Task.IsCompleted)
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
            foreach (Way way in All())
            {
                _ = BeatAsync(way.Client);
            }
        }
    }

    private async Task BeatAsync(NbdClient client)
    {
        if (client.Export.Length == 0)
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

    /// <summary>A connection, and how much is under way on it.</summary>
    private sealed class Way(NbdClient client)
    {
        public long Bytes;
        private long _answeredAt;
        private long _quickest = long.MaxValue;

        public NbdClient Client => client;

        /// <summary>Whether it has had nothing to do for so long that it had better have something; not where that would be on the way for long.</summary>
        public bool IsCooling
        {
            get
            {
                TimeSpan quickest = Stopwatch.GetElapsedTime(0, Volatile.Read(ref _quickest));
                return Volatile.Read(ref Bytes) == 0
                    && 2 * quickest.Ticks < Idle.Ticks
                    && Stopwatch.GetElapsedTime(Volatile.Read(ref _answeredAt)) > quickest;
            }
        }

        public void Answered(long start)
        {
            long now = Stopwatch.GetTimestamp();
            Volatile.Write(ref _answeredAt, now);
            Volatile.Write(ref _quickest, Math.Min(Volatile.Read(ref _quickest), now - start));
        }
    }
}
