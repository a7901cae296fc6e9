using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.ExceptionServices;
using DiskSync.Linux.Native;

namespace DiskSync.Linux;

/// <summary>Lets this process go behind all others: CPU niceness 10, I/O class idle.</summary>
/// <remarks>
/// <para>
/// The kernel keeps both by thread, and new threads and processes have what their maker had. So all threads are set, and
/// one is left as it was: programs that must not be slow because this process is (a hook that starts a guest) are started
/// by it (<see cref="AsBefore"/>). Without it there would be no way back: only root may raise a niceness again.
/// </para>
/// <para>Thread safe. setpriority(2), ioprio_set(2); the I/O class matters to the schedulers BFQ and, in part, mq-deadline.</para>
/// </remarks>
public static class ProcessPriority
{
    // What nice(1) gives unless told otherwise. The lowest, 19, would leave a busy machine's copy without any time at all.
    private const int Niceness = 10;
    private static readonly Lock Gate = new();
    private static BlockingCollection<Action>? _work;
    private static int _ordinaryThread;
    private static int _before;

    /// <summary>Goes behind all others.</summary>
    public static void Lower()
    {
        lock (Gate)
        {
            if (_work is null)
            {
                _before = SchedulingCalls.GetPriority(SchedulingCalls.Thread, 0);
                StartOrdinaryThread();
            }

            Set(Niceness, SchedulingCalls.IoIdle);
        }
    }

    /// <summary>Goes back to where it was, as far as this user may: the I/O class always, the niceness as root only.</summary>
    public static void Restore()
    {
        lock (Gate)
        {
            if (_work is not null)
            {
                Set(_before, SchedulingCalls.IoDefault);
            }
        }
    }

    /// <summary>Does something on a thread that has the priority from before <see cref="Lower"/>; here, where that was never called.</summary>
    /// <remarks>For starting a process; the calling thread waits.</remarks>
    public static T AsBefore<T>(Func<T> action)
    {
        ArgumentNullException.ThrowIfNull(action);
        if (Volatile.Read(ref _work) is not { } work)
        {
            return action();
        }

        T? result = default;
        ExceptionDispatchInfo? failure = null;
        using ManualResetEventSlim done = new();
        work.Add(() =>
        {
            try
            {
                result = action();
            }
            catch (Exception exception)
            {
                failure = ExceptionDispatchInfo.Capture(exception);
            }

            done.Set();
        });
        done.Wait();
        failure?.Throw();
        return result!;
    }

    private static void StartOrdinaryThread()
    {
        BlockingCollection<Action> work = [];
        using ManualResetEventSlim started = new();
        Thread thread = new(() =>
        {
            _ordinaryThread = SchedulingCalls.ThreadId;
            started.Set();
            foreach (Action action in work.GetConsumingEnumerable())
            {
                action();
            }
        })
        {
            IsBackground = true,
            Name = "ordinary priority",
        };
        thread.Start();
        started.Wait();
        Volatile.Write(ref _work, work);
    }

    // A thread that starts meanwhile has been made by one that was set, or is found by looking again.
    private static void Set(int nice, int io)
    {
        for (int round = 0; round < 2; round++)
        {
            foreach (string folder in Directory.EnumerateDirectories("/proc/self/task"))
            {
                int thread = int.Parse(Path.GetFileName(folder), CultureInfo.InvariantCulture);
                if (thread != _ordinaryThread)
                {
                    // One that has just ended is no error, and being less nice than wanted is none either.
                    _ = SchedulingCalls.SetPriority(SchedulingCalls.Thread, thread, nice);
                    _ = SchedulingCalls.SetIoPriority(thread, io);
                }
            }
        }
    }
}
