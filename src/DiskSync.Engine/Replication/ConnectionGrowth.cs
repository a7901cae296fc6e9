namespace DiskSync.Engine.Replication;

/// <summary>Decides how many connections a transfer should have: more as long as more arrives with them.</summary>
/// <remarks>
/// <para>The number is doubled while the goodput grows by a tenth or more with each doubling, and halved back where it did
/// not; after that it stays for a while and is tried again, as paths change. Only intervals count in which the senders
/// waited for the connections: where the image is read more slowly than the link takes it, nothing can be learned. An
/// interval after each change is not measured, because new connections start slowly, and nothing is tried while the
/// goodput still rises by itself.</para>
/// <para>Pure and not thread safe: the clock is the caller's.</para>
/// </remarks>
/// <param name="most">The most connections.</param>
public sealed class ConnectionGrowth(int most)
{
    private const double WorthIt = 1.1;
    private const double WasBusy = 0.4;
    private static readonly TimeSpan UntilNextTry = TimeSpan.FromSeconds(20);

    private double _before;
    private double _last;
    private bool _settling;
    private bool _trying;
    private TimeSpan _rest;

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
            _last = 0;
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

        double rate = bytes / elapsed.TotalSeconds;
        if (_trying && rate < _before * WorthIt)
        {
            _trying = false;
            _rest = UntilNextTry;
            Wanted /= 2;
            return;
        }

        _trying = false;
        bool rises = rate > _last * WorthIt;
        _last = rate;
        if (rises)
        {
            return;
        }

        _before = rate;
        if (Wanted * 2 <= most)
        {
            Wanted *= 2;
            _trying = true;
            _settling = true;
        }
        else
        {
            _rest = UntilNextTry;
        }
    }
}
