using System.Runtime.InteropServices;

namespace DiskSync.Bench.CodecChoice;

/// <summary>The processor time of the calling thread: what others do on the machine at the same time is not in it.</summary>
internal static partial class ThreadClock
{
    private const int ThreadProcessorTime = 3;

    /// <summary>Seconds.</summary>
    public static double Seconds
    {
        get
        {
            Span<long> time = stackalloc long[2];
            _ = GetTime(ThreadProcessorTime, time);
            return time[0] + (time[1] * 1e-9);
        }
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, Span<long> time);
}
