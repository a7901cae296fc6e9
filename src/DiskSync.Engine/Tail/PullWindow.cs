namespace DiskSync.Engine.Tail;

/// <summary>How many requests are under way in the background: enough to fill the link, and so few that hardly any wait in its queue.</summary>
/// <remarks>
/// By delay, as what a guest waits for shares that queue: with w requests under way and the fastest answer in m, an answer in t
/// says that w (1 - m/t) of them wait in a queue (Brakmo and Peterson, "TCP Vegas", 1994). Ways change, so m is measured
/// anew now and then, with half as many under way for a moment: what waits in the queue all the time would be taken for
/// the way else. Of the last answers the fastest counts: a queue delays all of them, a lost packet those of its connection
/// that come behind it. Not thread safe.
/// </remarks>
public sealed class PullWindow
{
    private const double Least = 1;
    private const double Most = 1024;

    // How many requests may wait in the queue, at least and as a share of all.
    private const double Few = 1;
    private const double Many = 2;
    private const double FewShare = 0.03;
    private const int LastAnswers = 16;
    private static readonly TimeSpan Memory = TimeSpan.FromSeconds(10);
    private readonly TimeProvider _clock;
    private readonly double[] _last = new double[LastAnswers];
    private int _answers;
    private double _fastest = double.MaxValue;
    private double _fastestLately = double.MaxValue;
    private long _since;

    // Answers to come until the fastest is known anew, and the window that is kept for then.
    private int _probing;
    private double _kept;

    // Doubling until the first sign of a queue; one more or less for a window's worth of answers after that.
    private bool _isStarting = true;

    /// <summary>Begins with one request.</summary>
    public PullWindow(TimeProvider clock)
    {
        _clock = clock;
        _since = clock.GetTimestamp();
    }

    /// <summary>How many requests may be under way.</summary>
    public int Size => (int)Value;

    private double Value { get; set; } = Least;

    /// <summary>Learns from an answer.</summary>
    /// <param name="seconds">How long it took.</param>
    /// <param name="underWay">How many requests were under way when it was asked for, itself included.</param>
    public void Answered(double seconds, int underWay)
    {
        _fastestLately = Math.Min(_fastestLately, seconds);
        if (_probing > 0)
        {
            Probe();
            return;
        }

        _fastest = Math.Min(_fastest, seconds);
        double few = Math.Max(Few, FewShare * underWay);
        double waiting = underWay * (1 - (_fastest / Math.Max(FastestOfLast(seconds, underWay), _fastest)));
        if (waiting > few * (Many / Few))
        {
            _isStarting = false;
            Value = Math.Max(Least, Value - (1 / Value));
        }
        else if (waiting < few && underWay >= Size)
        {
            // Far from full it grows by a share: a long way at a high rate has room for hundreds.
            double step = waiting < few / 2 ? Math.Max(FewShare, 1 / Value) : 1 / Value;
            Value = Math.Min(Most, Value + (_isStarting ? 1 : step));
        }

        if (_clock.GetElapsedTime(_since) > Memory)
        {
            (_probing, _kept, _fastestLately) = (2 * Size, Value, double.MaxValue);
            Value = Math.Max(Least, Value / 2);
        }
    }

    /// <summary>Begins anew: the link was lost.</summary>
    public void Lost()
    {
        (_fastest, _fastestLately, _isStarting) = (double.MaxValue, double.MaxValue, true);
        (Value, _probing) = (Least, 0);
        _answers = 0;
    }

    // No more than half of those that are under way: what grew since must be seen soon.
    private double FastestOfLast(double seconds, int underWay)
    {
        _last[_answers++ % LastAnswers] = seconds;
        double fastest = seconds;
        for (int back = 2; back <= Math.Min(Math.Min(underWay / 2, LastAnswers), _answers); back++)
        {
            fastest = Math.Min(fastest, _last[(_answers - back) % LastAnswers]);
        }

        return fastest;
    }

    private void Probe()
    {
        if (--_probing == 0)
        {
            (_fastest, Value, _since) = (_fastestLately, _kept, _clock.GetTimestamp());
        }
    }
}
