using System.Runtime.InteropServices;

namespace DiskSync.Linux.Native;

/// <summary>struct timespec of 64-bit systems.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TimeSpec
{
    internal long Seconds;
    internal long Nanoseconds;

    /// <summary>A time; less than none is none.</summary>
    internal static TimeSpec Of(long nanoseconds)
    {
        (long seconds, long rest) = Math.DivRem(Math.Max(nanoseconds, 0), 1_000_000_000);
        return new TimeSpec { Seconds = seconds, Nanoseconds = rest };
    }
}
