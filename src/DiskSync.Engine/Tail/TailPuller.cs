using System.Collections.Concurrent;
using System.Diagnostics;
using DiskSync.Formats.Presence;

namespace DiskSync.Engine.Tail;

/// <summary>Fetches what is missing in the background, until nothing is: behind what the guest touches first, paced so that what the guest waits for finds the link's queue nearly empty.</summary>
/// <remarks>One for a device. What was fetched is committed every now and then, and at the end.</remarks>
public sealed class TailPuller : IDisposable
{
    private const long AheadBytes = 8 << 20;
    private static readonly TimeSpan CommitEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan BadPause = TimeSpan.FromSeconds(10);
    private readonly TailDevice _device;
    private readonly PresenceMap _map;
    private readonly ITailSource _source;
    private readonly TimeProvider _clock;
    private readonly int _requestUnits;
    private readonly PullOrder _order;
    private readonly PullWindow _window;
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _changed = new(0);

    // What the source could not read is tried again when nothing else is left to fetch.
    private readonly ConcurrentDictionary<long, bool> _bad = new();
    private int _underWay;
    private Exception? _lastFailure;

    /// <summary>Prepares to fetch.</summary>
    /// <param name="device">The device whose parts are missing.</param>
    /// <param name="map">Its map.</param>
    /// <param name="source">The same source as the device's; asked for nothing but to wait for the link.</param>
    /// <param name="clock">For pacing.</param>
    /// <param name="request">The most bytes that a request asks for: what a guest may find before it on the link.</param>
    public TailPuller(TailDevice device, PresenceMap map, ITailSource source, TimeProvider clock, int request = 64 << 10)
    {
        ArgumentNullException.ThrowIfNull(device);
        _device = device;
        _map = map;
        _source = source;
        _clock = clock;
        _requestUnits = Math.Max(1, request / device.Fetcher.Unit);
        _order = new PullOrder(AheadBytes / device.Fetcher.Unit);
        _window = new PullWindow(clock);
        device.Fetcher.OnWaited = _order.Touched;
    }

    /// <summary>What the last failure was, for a report; null where all has gone well.</summary>
    public string? LastFailure => _lastFailure?.Message;

    /// <summary>Bytes that are missing, counted in whole parts.</summary>
    public long MissingBytes => _map.MissingParts * PresenceHeader.PartSize;

    /// <summary>Fetches until nothing is missing, durably.</summary>
    /// <param name="cancellation">Ends it; what was fetched stays.</param>
    /// <exception cref="DiskSyncException">The image or the map cannot be written or flushed.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        long committed = _clock.GetTimestamp();
        try
        {
            while (!_device.IsWhole)
            {
                bool isIdle = !Start(cancellation);
                if (_clock.GetElapsedTime(committed) >= CommitEvery || _map.MissingParts == 0)
                {
                    _device.Flush();
                    committed = _clock.GetTimestamp();
                    continue;
                }

                if (isIdle && Volatile.Read(ref _underWay) == 0)
                {
                    await RestAsync(cancellation);
                }
                else
                {
                    await _changed.WaitAsync(CommitEvery, cancellation);
                }
            }

            _map.Settle();
        }
        finally
        {
            // Their buffers are in use until they have ended.
            while (Volatile.Read(ref _underWay) > 0)
            {
                await _changed.WaitAsync(CommitEvery, CancellationToken.None);
            }
        }
    }

    /// <summary>Frees what waiting needed. <see cref="RunAsync"/> has ended.</summary>
    public void Dispose() => _changed.Dispose();

    // Everything that is missing is what the source could not read, or what guests wait for by themselves.
    private async Task RestAsync(CancellationToken cancellation)
    {
        if (_lastFailure is TailLinkException)
        {
            await _source.WaitForLinkAsync(cancellation);
        }
        else
        {
            await Task.Delay(_bad.IsEmpty ? TimeSpan.FromMilliseconds(10) : BadPause, _clock, cancellation);
            _bad.Clear();
        }
    }

    /// <returns>Whether anything was begun, or more would have been if the window were larger.</returns>
    private bool Start(CancellationToken cancellation)
    {
        while (true)
        {
            int underWay;
            lock (_gate)
            {
                if (_underWay >= _window.Size)
                {
                    return true;
                }
            }

            if (_order.Next(_device.Fetcher, _requestUnits, _bad.ContainsKey) is not { } run)
            {
                return false;
            }

            lock (_gate)
            {
                underWay = ++_underWay;
            }

            _ = Task.Run(() => FetchAsync(run, underWay, cancellation), CancellationToken.None);
        }
    }

    private async Task FetchAsync(UnitRun run, int underWay, CancellationToken cancellation)
    {
        long start = Stopwatch.GetTimestamp();
        Exception? failure = await _device.Fetcher.FetchAsync(run, isUrgent: false, cancellation);
        if (failure is TailSourceException)
        {
            foreach (long unit in Enumerable.Range(0, run.Fetches.Length).Select(i => run.First + i).Where(_device.Fetcher.IsMissing))
            {
                _bad[unit] = true;
            }
        }

        lock (_gate)
        {
            _underWay--;
            if (failure is null)
            {
                _window.Answered(Stopwatch.GetElapsedTime(start).TotalSeconds, underWay);
            }
            else if (failure is TailLinkException)
            {
                _window.Lost();
            }

            _lastFailure = failure is OperationCanceledException ? _lastFailure : failure;
        }

        _changed.Release();
    }
}
