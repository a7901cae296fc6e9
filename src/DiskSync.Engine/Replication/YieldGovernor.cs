namespace DiskSync.Engine.Replication;

/// <summary>Decides how much a nice sender allows itself: much less when others want the link or the disk, more when they do not.</summary>
/// <remarks>
/// <para>
/// After LEDBAT (RFC 6817): what others send is seen as queueing delay before anything is lost, so a sender that keeps
/// the delay at a target below what others cause gives way to them, and has the link to itself when they are gone. Here
/// it is a rate and not a window, since the connections are the kernel's. It falls by a factor, the more the further the
/// delay is past the target, and rises by an addition, the less the nearer it is.
/// </para>
/// <para>Pure: time comes with the samples. Not thread safe.</para>
/// </remarks>
public sealed class YieldGovernor
{
    /// <summary>It never falls below this: a copy that does not move at all would look broken, and keeps what it holds for ever.</summary>
    public const long Floor = 64 << 10;

    /// <summary>The queueing delay that is aimed at. RFC 6817 allows 100 ms; less gives way on links with short queues, too.</summary>
    public static readonly TimeSpan Target = TimeSpan.FromMilliseconds(10);

    // Per decision; a factor of a half at twice the target, as TCP does for a loss.
    private const double HardestCut = 0.5;
    private const double DiskCut = 0.7;

    // Of the best rate seen, per second, while the delay is far below the target; less the nearer it is.
    private const double RisePerSecond = 0.08;
    private const long LeastRisePerSecond = 128 << 10;

    // Where no queue was seen for a second, the link is likely free and it rises as a connection starts: by a share of
    // what it has until a queue shows; more gently where it nears the best that it has had, which may be all there is.
    private const double FreeSeconds = 1;
    private const double FreeDelayShare = 0.5;
    private const double FreeRisePerSecond = 0.5;
    private const double GentleRisePerSecond = 0.15;
    private const double NearBest = 0.8;

    // Beyond what is really sent a ceiling means nothing, and would take many cuts to be felt.
    private const double Headroom = 1.5;
    private const double Memory = 0.7;

    private double _sent;
    private double _best;
    private double _freeSeconds;
    private TimeSpan? _lastQueueing;

    /// <summary>The ceiling in bytes a second; 0 while there was no reason for one.</summary>
    public long Ceiling { get; private set; }

    /// <summary>Takes a sample in.</summary>
    /// <returns>The ceiling from now on.</returns>
    public long Decide(YieldSample sample)
    {
        double now = sample.SentBytes / sample.Seconds;
        _sent = _sent <= 0 ? now : (_sent * Memory) + (now * (1 - Memory));
        _best = Math.Max(_best, _sent);

        // A busy machine delays acks now and then, and that is over by the next sample (RFC 6817, CURRENT_FILTER).
        TimeSpan? delay = sample.Queueing is { } seen && _lastQueueing is { } earlier && earlier < seen ? earlier : sample.Queueing;
        bool isFirst = _lastQueueing is null;
        _lastQueueing = sample.Queueing;
        double excess = delay is { } known && !isFirst ? (known - Target) / Target : -1;
        if (sample.DiskContended || excess > 0)
        {
            _freeSeconds = 0;
            double cut = Math.Min(
                excess > 0 ? Math.Max(HardestCut, 1 - (excess / 2)) : 1, sample.DiskContended ? DiskCut : 1);
            double from = Ceiling > 0 ? Math.Min(Ceiling, Math.Max(_sent * Headroom, Floor)) : _sent;
            return Ceiling = Math.Max(Floor, (long)(from * cut));
        }

        if (Ceiling > 0)
        {
            _freeSeconds = excess < FreeDelayShare - 1 ? _freeSeconds + sample.Seconds : 0;
            double share = _freeSeconds <= FreeSeconds ? 0
                : Ceiling * (Ceiling < _best * NearBest ? FreeRisePerSecond : GentleRisePerSecond);
            double rise = Math.Max(share, Math.Max(LeastRisePerSecond, _best * RisePerSecond) * Math.Min(1, -excess)) * sample.Seconds;
            double most = Math.Max(_sent * Headroom, Floor) + rise;
            Ceiling = (long)Math.Max(Ceiling, Math.Min(Ceiling + rise, most));
        }

        return Ceiling;
    }
}
