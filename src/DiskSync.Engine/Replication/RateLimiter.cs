namespace DiskSync.Engine.Replication;

/// <summary>Holds senders to a number of bytes a second, which may change while they run.</summary>
/// <remarks>
/// <para>
/// What may be sent is earned at the rate; a piece goes when all its bytes have been earned. What was not used is saved
/// for a fiftieth of a second only (<see cref="SavedShare"/>): long enough for a sender that the machine woke up late to
/// catch up, short enough that no second has more than 1.02 of the limit, and a piece for each connection, in it. Pieces
/// are <see cref="PieceBytes"/>, and whatever is larger has to be cut by its sender (<see cref="PacedWriter"/>).
/// </para>
/// <para>
/// Thread safe; connections that share it share the limit, piece by piece in the order in which they asked. Bytes are
/// those handed to the transport: what TLS, TCP and IP add on their way is not counted, as in other programs' limits.
/// </para>
/// </remarks>
public sealed class RateLimiter
{
    private const double SavedShare = 1 / 50.0;
    private const double PieceShare = 1 / 200.0;
    private const int LeastPiece = 1024;
    private const int LargestPiece = 128 << 10;
    private const int LeastBatch = 64 << 10;
    private const double BatchShare = 1 / 4.0;

    // How soon a waiting sender sees that the limit has changed.
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(100);

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private long _bytesPerSecond;
    private long _ceiling;
    private double _earned;
    private long _taken;
    private long _passed;
    private long _last;

    /// <summary>Creates a limiter.</summary>
    /// <param name="bytesPerSecond">The limit; 0 for none.</param>
    /// <param name="time">The clock; null for the system's.</param>
    public RateLimiter(long bytesPerSecond = 0, TimeProvider? time = null)
    {
        _time = time ?? TimeProvider.System;
        _bytesPerSecond = bytesPerSecond;
        _last = _time.GetTimestamp();
    }

    /// <summary>The user's limit in bytes a second; 0 for none. May be set at any time.</summary>
    public long BytesPerSecond
    {
        get => Interlocked.Read(ref _bytesPerSecond);
        set => Change(ref _bytesPerSecond, value);
    }

    /// <summary>What this process allows itself at the moment, to yield to others; 0 where it need not. May be set at any time.</summary>
    public long Ceiling
    {
        get => Interlocked.Read(ref _ceiling);
        set => Change(ref _ceiling, value);
    }

    /// <summary>The lower of limit and ceiling; 0 where there is neither.</summary>
    public long Rate
    {
        get
        {
            (long limit, long ceiling) = (BytesPerSecond, Ceiling);
            return limit <= 0 ? ceiling : ceiling <= 0 ? limit : Math.Min(limit, ceiling);
        }
    }

    /// <summary>All bytes that were let through so far.</summary>
    public long BytesPassed => Interlocked.Read(ref _passed);

    /// <summary>The largest piece to ask for at once: a two-hundredth of a second's bytes.</summary>
    public int PieceBytes => Rate is var rate and > 0
        ? (int)Math.Clamp(rate * PieceShare, LeastPiece, LargestPiece)
        : int.MaxValue;

    /// <summary>The image bytes of one batch: a large one would hold up what has to follow it, such as an answer to a ping.</summary>
    /// <param name="most">Without a limit.</param>
    public int BatchBytes(int most) => Rate is var rate and > 0
        ? (int)Math.Clamp(rate * BatchShare, Math.Min(LeastBatch, most), most)
        : most;

    /// <summary>Waits until so many bytes may be sent.</summary>
    /// <param name="bytes">At most <see cref="PieceBytes"/>; more goes at once when all of it has been earned.</param>
    /// <param name="cancellationToken">Ends the wait; the bytes count as sent all the same.</param>
    public async ValueTask WaitAsync(int bytes, CancellationToken cancellationToken)
    {
        Interlocked.Add(ref _passed, bytes);
        long position;
        lock (_lock)
        {
            Earn();
            position = _taken += bytes;
        }

        while (Missing(position) is { } wait && wait > TimeSpan.Zero)
        {
            await Task.Delay(wait < Patience ? wait : Patience, _time, cancellationToken);
        }
    }

    private TimeSpan Missing(long position)
    {
        lock (_lock)
        {
            long rate = Earn();
            double seconds = rate > 0 ? (position - _earned) / rate : 0;

            // Timers count whole milliseconds and round down: less than one would be a busy loop.
            return seconds > 0
                ? TimeSpan.FromMilliseconds(Math.Ceiling(Math.Min(seconds, Patience.TotalSeconds) * 1000))
                : TimeSpan.Zero;
        }
    }

    // Returns the rate that holds now.
    private long Earn()
    {
        long now = _time.GetTimestamp();
        long rate = Rate;
        _earned = rate > 0
            ? Math.Min(_earned + (_time.GetElapsedTime(_last, now).TotalSeconds * rate), _taken + (rate * SavedShare))
            : _taken;
        _last = now;
        return rate;
    }

    private void Change(ref long field, long value)
    {
        lock (_lock)
        {
            // Up to now the old rate was earned.
            Earn();
            Interlocked.Exchange(ref field, value);
        }
    }
}
