namespace DiskSync.Formats.Tests;

/// <summary>Measures what a piece of code allocates on this thread.</summary>
internal static class Allocation
{
    public static long Of(Action action)
    {
        action();
        long before = GC.GetAllocatedBytesForCurrentThread();
        action();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
