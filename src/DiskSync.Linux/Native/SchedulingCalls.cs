using System.Runtime.InteropServices;

namespace DiskSync.Linux.Native;

/// <summary>How the kernel schedules threads: setpriority(2), sched_setscheduler(2), ioprio_set(2), prctl(2).</summary>
internal static partial class SchedulingCalls
{
    /// <summary>PRIO_PROCESS; on Linux it means one thread.</summary>
    internal const int Thread = 0;

    /// <summary>SCHED_RR.</summary>
    internal const int RoundRobin = 2;

    /// <summary>IOPRIO_WHO_PROCESS; it, too, means one thread.</summary>
    internal const int IoThread = 1;

    /// <summary>PR_SET_TIMERSLACK.</summary>
    internal const int SetTimerSlack = 29;

    /// <summary>IOPRIO_CLASS_IDLE in the class's bits.</summary>
    internal const int IoIdle = 3 << 13;

    /// <summary>IOPRIO_CLASS_NONE: what follows from the nice value.</summary>
    internal const int IoDefault = 0;

    private static readonly bool IsArm = RuntimeInformation.ProcessArchitecture is Architecture.Arm64;

    private static long SetIoPriorityNumber => IsArm ? 30 : 251;

    private static long ThreadIdNumber => IsArm ? 178 : 186;

    /// <summary>The calling thread's id.</summary>
    internal static int ThreadId => (int)SystemCall(ThreadIdNumber, 0, 0, 0);

    [LibraryImport(Call.Library, EntryPoint = "setpriority", SetLastError = true)]
    internal static partial int SetPriority(int which, int id, int nice);

    /// <summary>-1 is a priority, too; it is not asked for here where it could be an error.</summary>
    [LibraryImport(Call.Library, EntryPoint = "getpriority", SetLastError = true)]
    internal static partial int GetPriority(int which, int id);

    /// <summary>struct sched_param has one member, the priority.</summary>
    [LibraryImport(Call.Library, EntryPoint = "sched_setscheduler", SetLastError = true)]
    internal static partial int SetScheduler(int thread, int policy, in int priority);

    [LibraryImport(Call.Library, EntryPoint = "prctl", SetLastError = true)]
    internal static partial int ProcessControl(int option, nuint value, nuint third, nuint fourth, nuint fifth);

    /// <summary>The C library has no function for it.</summary>
    internal static int SetIoPriority(int thread, int priority) =>
        (int)SystemCall(SetIoPriorityNumber, IoThread, thread, priority);

    [LibraryImport(Call.Library, EntryPoint = "syscall", SetLastError = true)]
    private static partial long SystemCall(long number, long first, long second, long third);
}
