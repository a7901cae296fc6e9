using System.Runtime.InteropServices;

namespace DiskSync.Linux.Native;

/// <summary>How the kernel schedules threads: setpriority(2), sched_setscheduler(2).</summary>
internal static partial class SchedulingCalls
{
    /// <summary>PRIO_PROCESS; on Linux it means one thread.</summary>
    internal const int Thread = 0;

    /// <summary>SCHED_RR.</summary>
    internal const int RoundRobin = 2;

    [LibraryImport(Call.Library, EntryPoint = "setpriority", SetLastError = true)]
    internal static partial int SetPriority(int which, int id, int nice);

    /// <summary>struct sched_param has one member, the priority.</summary>
    [LibraryImport(Call.Library, EntryPoint = "sched_setscheduler", SetLastError = true)]
    internal static partial int SetScheduler(int thread, int policy, in int priority);
}
