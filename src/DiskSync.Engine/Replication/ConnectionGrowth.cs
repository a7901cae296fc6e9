namespace DiskSync.Engine.Replication;

/// <summary>Decides how many connections a transfer should have: more as long as more arrives with them.</summary>
/// <remarks>
/// <para>The number is doubled while the goodput grows by a tenth or more with each doubling. Where it did not, it is halved
/// back, unless there are few: those that are left would need seconds to take the share of one that goes. After that it
/// stays for a while, each time longer, and more are tried again, as paths change.</para>
/// <para>Only intervals count in which the senders waited for the connections: where the image is read more slowly than the
/// link takes it, nothing can be learned. An interval after each change is not measured, because new connections start
/// slowly, and nothing is tried while the goodput still rises by itself. What is compared is the mean of two intervals with
/// the best of those before: one interval alone is chance.</para>
/// <para>Pure and not thread safe: the clock is the caller's.</para>
/// </remarks>
/// <param name="most">The most connections.</param>
public sealed class ConnectionGrowth(int most)
{
    private const double WorthIt = 1.1;
    private const double WasBusy = 0.4;

    // As many cost nothing worth speaking of.
    private const int Few = 4;
    private const int EnoughIntervals = 2;
    private static readonly TimeSpan UntilNextTry = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan LongestUntilNextTry = TimeSpan.FromMinutes(5);

    // Of the intervals with as many connections as now; and the best with fewer, while more are being tried.
    private readonly List<double> _rates = [];
    private double? _before;
    private bool _settling;
    private TimeSpan _rest;
    private TimeSpan _untilNextTry = UntilNextTry;

    /// <summary>How many connections there should be.</summary>
    public int Wanted { get; private set; } = 1;

    /// <summary>Takes an interval in.</summary>
    /// <param name="elapsed">Its length.</param>
    /// <param name="bytes">What arrived in it.</param>
    /// <param name="waited">How long senders waited in it, all of them together.</param>
    public void Observe(TimeSpan elapsed, long bytes, TimeSpan waited)
    {
        if (_settling)
        {
            _settling = false;
            return;
        }

        if (_rest > TimeSpan.Zero)
        {
            _rest -= elapsed;
            return;
        }

        if (waited < elapsed * WasBusy || bytes == 0)
        {
            return;
        }

        _rates.Add(bytes / elapsed.TotalSeconds);
        if (_rates.Count < EnoughIntervals)
        {
            return;
        }

        if (_before is { } before && _rates.Average() < before * WorthIt)
        {
            GiveUp();
            return;
        }

        _before = null;
        double best = _rates.Max();
        if (_rates[^1] > _rates[^2] * WorthIt)
        {
            // It rises by itself: one more interval.
            _rates.RemoveAt(0);
        }
        else if (Wanted * 2 <= most)
        {
            _before = best;
            Change(Wanted * 2);
        }
        else
        {
            Rest(UntilNextTry);
        }
    }

    private void GiveUp()
    {
        Change(Wanted > Few ? Wanted / 2 : Wanted);
        _before = null;
        Rest(_untilNextTry);
        _untilNextTry = _untilNextTry * 2 < LongestUntilNextTry ? _untilNextTry * 2 : LongestUntilNextTry;
    }

    private void Change(int wanted)
    {
        Wanted = wanted;
        _settling = true;
        _rates.Clear();
    }

    private void Rest(TimeSpan time)
    {
        _rest = time;
        _rates.Clear();
    }
}
