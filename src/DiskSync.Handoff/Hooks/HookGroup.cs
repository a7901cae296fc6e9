using DiskSync.Linux;

namespace DiskSync.Handoff.Hooks;

/// <summary>Ends a hook whose time is up, with everything in its process group.</summary>
internal static class HookGroup
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    // A killed process is gone at once, but for one that hangs in the kernel (storage that does not answer): that takes as
    // long as it takes, and a guest may be paused meanwhile.
    private static readonly TimeSpan KilledLimit = TimeSpan.FromSeconds(3);

    /// <summary>SIGTERM, then SIGKILL; returns a few seconds later at most.</summary>
    /// <param name="group">The group, which has the number of the hook's own process.</param>
    /// <param name="endsWithin">Waits for the hook's own process.</param>
    /// <returns>False where it is still there. SIGKILL stays pending: it will not run another instruction of its own.</returns>
    public static async Task<bool> EndAsync(int group, Func<TimeSpan, Task<bool>> endsWithin)
    {
        _ = ProcessSignal.TryTerminateGroup(group);
        _ = await endsWithin(Grace);

        // The shell may be gone and its children not: the group is killed in any case.
        _ = ProcessSignal.TryKillGroup(group);
        return await endsWithin(KilledLimit);
    }
}
