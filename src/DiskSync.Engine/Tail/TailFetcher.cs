using System.Buffers;
using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Formats.Presence;
using DiskSync.Linux;

namespace DiskSync.Engine.Tail;

/// <summary>Fetches what is missing of an image from its source, each unit once however many ask for it.</summary>
/// <remarks>
/// Thread safe. What arrives is written only where nothing was written meanwhile, under the lock that those who write there take
/// too; it is compared with the source's hash where that is known.
/// </remarks>
internal sealed class TailFetcher : IDisposable
{
    private readonly IBlockDevice _image;
    private readonly PresenceMap _map;
    private readonly ITailSource _source;
    private readonly ITailHashes? _hashes;
    private readonly TailOptions _options;
    private readonly Lock _gate = new();
    private readonly Dictionary<long, UnitFetch> _underWay = [];
    private readonly CancellationTokenSource _stopped = new();
    private readonly long _unitParts;
    private TaskCompletionSource _failing = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _failMissing;
    private bool _isDisposed;

    /// <summary>Puts a fetcher between an image and its source; owns none of them.</summary>
    public TailFetcher(IBlockDevice image, PresenceMap map, ITailSource source, ITailHashes? hashes, TailOptions options)
    {
        _image = image;
        _map = map;
        _source = source;
        _hashes = hashes;
        _options = options;
        FailMissing = options.FailMissing;

        // A block that is to be compared has to be fetched whole.
        Unit = Math.Max(options.Unit, hashes?.Geometry.Granularity ?? PresenceHeader.PartSize);
        _unitParts = Unit / PresenceHeader.PartSize;
    }

    /// <summary>Whether fetches fail while there is no link; those that wait for one when it is set fail at once.</summary>
    public bool FailMissing
    {
        get => _failMissing;
        set
        {
            lock (_gate)
            {
                _failMissing = value;
                if (value)
                {
                    _failing.TrySetResult();
                }
                else if (_failing.Task.IsCompleted)
                {
                    _failing = new(TaskCreationOptions.RunContinuationsAsynchronously);
                }
            }
        }
    }

    /// <summary>Bytes of a unit.</summary>
    public int Unit { get; }

    /// <summary>How many units the image has.</summary>
    public long UnitCount => (_image.Length + Unit - 1) / Unit;

    /// <summary>The locks that those who write where something is missing take.</summary>
    public UnitLocks Locks { get; } = new();

    /// <summary>Told the unit after each that a guest has to wait for, before it is asked for.</summary>
    public Action<long>? OnWaited { get; set; }

    /// <summary>Returns when all parts that a range touches are there, and fetches those that are not.</summary>
    /// <exception cref="TailSourceException">The source cannot read one of them.</exception>
    /// <exception cref="TailLinkException">There is no link, and the options say not to wait for it.</exception>
    /// <exception cref="ImageIOException">What was fetched cannot be written.</exception>
    public void Ensure(long offset, long length)
    {
        long end = PresenceHeader.PartEnd(offset, length);
        while (true)
        {
            long part = _map.Next(offset / PresenceHeader.PartSize, end, present: false);
            if (part == end)
            {
                return;
            }

            (List<UnitRun> mine, List<UnitFetch> others) = Claim(part, end, (int)Math.Max(1, _options.MostAtOnce / Unit));

            if (mine.Count > 0)
            {
                OnWaited?.Invoke(mine[^1].First + mine[^1].Fetches.Length);
            }

            // All are asked for before any is waited for.
            Task[] asked = [.. mine.Select(run => FetchAsync(run, isUrgent: true, _stopped.Token))];
            Task.WaitAll(asked);
            foreach (UnitFetch fetch in mine.SelectMany(m => m.Fetches).Concat(others))
            {
                fetch.Wait();
            }
        }
    }

    /// <summary>Claims a run of units for fetching in the background.</summary>
    /// <param name="first">From which unit on to look.</param>
    /// <param name="end">The unit before which to stop looking.</param>
    /// <param name="most">The most units.</param>
    /// <param name="isLeftOut">Says which units not to claim.</param>
    /// <returns>The run, for <see cref="FetchAsync"/>; null where nothing is missing there that is neither under way nor left out.</returns>
    public UnitRun? ClaimAhead(long first, long end, int most, Func<long, bool> isLeftOut)
    {
        long partEnd = Math.Min(end * _unitParts, _map.Header.PartCount);
        lock (_gate)
        {
            for (long part = first * _unitParts; (part = _map.Next(part, partEnd, present: false)) < partEnd; part = ((part / _unitParts) + 1) * _unitParts)
            {
                long unit = part / _unitParts;
                List<UnitFetch> fetches = [];
                for (long next = unit; fetches.Count < most && next < end && IsMissing(next) && !_underWay.ContainsKey(next) && !isLeftOut(next); next++)
                {
                    UnitFetch fetch = new();
                    _underWay.Add(next, fetch);
                    fetches.Add(fetch);
                }

                if (fetches.Count > 0)
                {
                    return new UnitRun(unit, [.. fetches]);
                }
            }
        }

        return null;
    }

    /// <summary>Fetches a claimed run; whatever becomes of it is told to those who wait, and never thrown.</summary>
    /// <returns>The first failure, or null.</returns>
    public async Task<Exception?> FetchAsync(UnitRun run, bool isUrgent, CancellationToken cancellation)
    {
        try
        {
            await ReadAndApplyAsync(run, isUrgent, cancellation);
            return null;
        }
        catch (TailSourceException) when (run.Fetches.Length > 1)
        {
            // One of them is bad, and the others need not share its lot.
            Exception? first = null;
            for (int i = 0; i < run.Fetches.Length; i++)
            {
                first = await FetchAsync(new UnitRun(run.First + i, [run.Fetches[i]]), isUrgent, cancellation) ?? first;
            }

            return first;
        }
        catch (Exception exception)
        {
            End(run, exception);
            return exception;
        }
    }

    /// <summary>Whether anything of a unit is missing.</summary>
    public bool IsMissing(long unit)
    {
        long first = unit * _unitParts;
        long end = Math.Min(first + _unitParts, _map.Header.PartCount);
        return first < end && !_map.All(first, end - first);
    }

    /// <summary>Lets everybody go who waits for the link.</summary>
    public void Stop() => _stopped.Cancel();

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            _stopped.Cancel();
            _stopped.Dispose();
        }
    }

    private (List<UnitRun> Mine, List<UnitFetch> Others) Claim(long part, long end, int most)
    {
        List<UnitRun> mine = [];
        List<UnitFetch> others = [];
        List<UnitFetch> run = [];
        long runFirst = 0;
        lock (_gate)
        {
            for (; (part = _map.Next(part, end, present: false)) < end; part = ((part / _unitParts) + 1) * _unitParts)
            {
                long unit = part / _unitParts;
                if (_underWay.TryGetValue(unit, out UnitFetch? other))
                {
                    others.Add(other);
                    continue;
                }

                if (run.Count > 0 && (runFirst + run.Count != unit || run.Count == most))
                {
                    mine.Add(new UnitRun(runFirst, [.. run]));
                    run.Clear();
                }

                runFirst = run.Count == 0 ? unit : runFirst;
                UnitFetch fetch = new();
                _underWay.Add(unit, fetch);
                run.Add(fetch);
            }

            if (run.Count > 0)
            {
                mine.Add(new UnitRun(runFirst, [.. run]));
            }
        }

        return (mine, others);
    }

    private async Task ReadAndApplyAsync(UnitRun run, bool isUrgent, CancellationToken cancellation)
    {
        long offset = run.First * Unit;
        int length = (int)Math.Min((long)run.Fetches.Length * Unit, _image.Length - offset);

        // A device wants aligned memory; nothing is known of who else is under way, so each has its own.
        using AlignedBuffer buffer = new((length + AlignedBuffer.Alignment - 1) / AlignedBuffer.Alignment * AlignedBuffer.Alignment);
        Memory<byte> content = buffer.Memory[..length];
        await ReadAsync(offset, content, isUrgent, cancellation);
        for (int i = 0; i < run.Fetches.Length; i++)
        {
            Memory<byte> unit = content[(i * Unit)..Math.Min((i + 1) * Unit, length)];
            Compare(offset + ((long)i * Unit), unit.Span);
        }

        for (int i = 0; i < run.Fetches.Length; i++)
        {
            Apply(run.First + i, content[(i * Unit)..Math.Min((i + 1) * Unit, length)].Span);
            End(new UnitRun(run.First + i, [run.Fetches[i]]), failure: null);
        }
    }

    private async Task ReadAsync(long offset, Memory<byte> content, bool isUrgent, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                await _source.ReadAsync(offset, content, isUrgent, cancellation);
                return;
            }
            catch (TailLinkException) when (!_failMissing)
            {
                // What is missing is missing: the guest waits, and is never told anything that is not so.
                await WaitForLinkAsync(cancellation);
            }
        }
    }

    private async Task WaitForLinkAsync(CancellationToken cancellation)
    {
        Task failing;
        lock (_gate)
        {
            failing = _failing.Task;
        }

        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task link = _source.WaitForLinkAsync(over.Token);
        if (await Task.WhenAny(link, failing) == link)
        {
            await link;
            return;
        }

        // The next try fails for want of the link.
        await over.CancelAsync();
        await link.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private void Compare(long offset, ReadOnlySpan<byte> content)
    {
        if (_hashes is null)
        {
            return;
        }

        int granularity = _hashes.Geometry.Granularity;
        for (int at = 0; at < content.Length; at += granularity)
        {
            if (!_hashes.Accept((offset + at) / granularity, Blake3.Hash(content.Slice(at, Math.Min(granularity, content.Length - at)))))
            {
                throw new TailSourceException($"the source sent something else for offset {offset + at} than it held when it handed the image over");
            }
        }
    }

    private void Apply(long unit, ReadOnlySpan<byte> content)
    {
        long first = unit * _unitParts;
        long end = Math.Min(first + _unitParts, _map.Header.PartCount);
        using UnitLocks.Held held = Locks.Take(unit, unit + 1);
        for (long part = _map.Next(first, end, present: false); part < end;)
        {
            long stop = _map.Next(part, end, present: true);
            int from = (int)((part - first) * PresenceHeader.PartSize);
            ReadOnlySpan<byte> piece = content[from..(int)Math.Min((stop - first) * PresenceHeader.PartSize, content.Length)];
            long offset = part * PresenceHeader.PartSize;
            if (ZeroCheck.IsZero(piece))
            {
                _image.Zero(offset, piece.Length, punch: true);
            }
            else
            {
                _image.Write(offset, piece);
            }

            _map.Mark(part, stop - part);
            part = _map.Next(stop, end, present: false);
        }
    }

    private void End(UnitRun run, Exception? failure)
    {
        lock (_gate)
        {
            for (int i = 0; i < run.Fetches.Length; i++)
            {
                if (_underWay.TryGetValue(run.First + i, out UnitFetch? fetch) && ReferenceEquals(fetch, run.Fetches[i]))
                {
                    _underWay.Remove(run.First + i);
                }
            }
        }

        foreach (UnitFetch fetch in run.Fetches)
        {
            fetch.End(failure);
        }
    }
}
