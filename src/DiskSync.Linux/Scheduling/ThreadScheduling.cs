using DiskSync.Linux.Native;

namespace DiskSync.Linux;

/// <summary>Where the calling thread stands among those that want the processor.</summary>
public static class ThreadScheduling
{
    [ThreadStatic]
    private static bool _isExact;

    /// <summary>Puts the calling thread before all ordinary threads of the machine (SCHED_RR, else the best nice value).</summary>
    /// <returns>False where this user may not (CAP_SYS_NICE).</returns>
    /// <remarks>For a thread that sleeps most of the time and must wake up exactly; one that never sleeps starves others.</remarks>
    public static bool TryRaise() =>
        SchedulingCalls.SetScheduler(0, SchedulingCalls.RoundRobin, 1) == 0
        || SchedulingCalls.SetPriority(SchedulingCalls.Thread, 0, -20) == 0;

    /// <summary>Lets the calling thread sleep, exact to the kernel's timer slack (50 µs; none for a raised thread).</summary>
    /// <param name="nanoseconds">How long; a signal may end it early.</param>
    /// <remarks><see cref="System.Threading.Thread.Sleep(TimeSpan)"/> counts whole milliseconds.</remarks>
    public static unsafe void Sleep(long nanoseconds)
    {
        TimeSpec time = TimeSpec.Of(nanoseconds);
        _ = NetworkCalls.Poll(null, 0, &time, null);
    }

    /// <summary>Lets the calling thread sleep for a few microseconds, exactly, and each later sleep of it too.</summary>
    /// <param name="nanoseconds">How long.</param>
    /// <remarks>The kernel may otherwise put a wake-up off by 50 µs, to do several at once.</remarks>
    public static void SleepExactly(long nanoseconds)
    {
        if (!_isExact)
        {
            _isExact = true;
            _ = SchedulingCalls.ProcessControl(SchedulingCalls.SetTimerSlack, 1, 0, 0, 0);
        }

        Sleep(nanoseconds);
    }
}
