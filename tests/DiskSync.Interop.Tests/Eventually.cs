using System.Diagnostics;
using DiskSync.TestSupport;

namespace DiskSync.Interop.Tests;

/// <summary>Waits for what other processes do, and says what never happened.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(10);

    /// <summary>Waits until something holds.</summary>
    /// <param name="condition">What is waited for; asked again and again.</param>
    /// <param name="what">The same in words.</param>
    /// <param name="worker">The process that brings it about; where it ends first, waiting is of no use. Null for none.</param>
    public static async Task TrueAsync(Func<bool> condition, string what, DisksyncProcess? worker = null)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            // Asked once more: the last thing that it did may have been just this.
            if (worker is { Process.HasExited: true } && !condition())
            {
                throw new InvalidOperationException($"{what}: did not happen; {await worker.WaitAsync()}");
            }

            if (Stopwatch.GetElapsedTime(start) > DisksyncProcess.DefaultTimeout)
            {
                throw new TimeoutException($"{what}: did not happen in {DisksyncProcess.DefaultTimeout.TotalSeconds:0} s");
            }

            await Task.Delay(Interval);
        }
    }

    /// <summary>Waits until there is a file.</summary>
    public static Task FileAsync(string path, DisksyncProcess? worker = null) =>
        TrueAsync(() => File.Exists(path), $"{path} comes to be", worker);
}
