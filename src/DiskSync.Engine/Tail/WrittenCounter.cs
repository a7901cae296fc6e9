using DiskSync.Engine.Journal;
using DiskSync.Formats.Presence;

namespace DiskSync.Engine.Tail;

/// <summary>Counts what is written to an image with a tail, so that whoever gives those writes up is told how many they are (Formats/Presence/FORMAT.md, "The count").</summary>
/// <remarks>Thread safe. After a kill the count is right but for what no flush covered; after a power cut it is an upper bound.</remarks>
public sealed class WrittenCounter : IDisposable
{
    private const long Ahead = 64 << 20;
    private readonly IStateFile _file;
    private readonly Guid _attempt;
    private readonly TimeProvider _clock;
    private readonly Lock _gate = new();
    private long _bytes;
    private long _most;
    private long _firstMs;
    private long _noted;
    private int _turn;

    private WrittenCounter(IStateFile file, Guid attempt, TimeProvider clock, WrittenCount before)
    {
        _file = file;
        _attempt = attempt;
        _clock = clock;

        // What a power cut may have swallowed was written all the same.
        _bytes = _noted = before.Bytes;
        _most = before.Most;
        _firstMs = before.FirstMs;
    }

    /// <summary>Bytes that were written since the hand-over.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Goes on counting.</summary>
    /// <param name="file">Where the count is kept; owned from now on.</param>
    /// <param name="attempt">The attempt that handed the image over.</param>
    /// <param name="clock">For the times of the writes.</param>
    public static WrittenCounter Open(IStateFile file, Guid attempt, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(file);
        return new WrittenCounter(file, attempt, clock, Read(file, attempt) ?? default);
    }

    /// <summary>Reads a count.</summary>
    /// <param name="file">Where it is kept.</param>
    /// <param name="attempt">The attempt that handed the image over.</param>
    /// <returns>Null where nobody knows.</returns>
    public static WrittenCount? Read(IStateFile file, Guid attempt)
    {
        ArgumentNullException.ThrowIfNull(file);
        byte[] bytes = new byte[WrittenCodec.MaxSize];
        return WrittenCodec.Decode(bytes.AsSpan(0, file.Read(0, bytes)), attempt);
    }

    /// <summary>Counts a write, before it is done.</summary>
    /// <param name="bytes">How many.</param>
    /// <exception cref="DiskSyncException">It cannot be kept durably; the write must not be done.</exception>
    public void Add(long bytes)
    {
        if (Interlocked.Add(ref _bytes, bytes) <= Volatile.Read(ref _most))
        {
            return;
        }

        lock (_gate)
        {
            long now = Volatile.Read(ref _bytes);
            if (now <= _most)
            {
                return;
            }

            long nowMs = _clock.GetUtcNow().ToUnixTimeMilliseconds();
            _firstMs = _firstMs == 0 ? nowMs : _firstMs;
            _file.Write(_turn * WrittenCodec.SlotDistance, WrittenCodec.Encode(_attempt, new WrittenCount(now, now + Ahead, _firstMs, Math.Max(_firstMs, nowMs))));
            _file.Flush();
            _turn = 1 - _turn;
            Volatile.Write(ref _most, now + Ahead);
        }
    }

    /// <summary>Notes the count, so that it outlives a kill.</summary>
    public void Note()
    {
        if (Volatile.Read(ref _noted) == Volatile.Read(ref _bytes))
        {
            return;
        }

        lock (_gate)
        {
            long nowMs = _clock.GetUtcNow().ToUnixTimeMilliseconds();
            long bytes = Math.Min(Volatile.Read(ref _bytes), _most);
            _file.Write(2 * WrittenCodec.SlotDistance, WrittenCodec.Encode(_attempt, new WrittenCount(bytes, _most, _firstMs, Math.Max(_firstMs, nowMs))));
            Volatile.Write(ref _noted, bytes);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
