using DiskSync.Linux.Native;

namespace DiskSync.Linux;

/// <summary>Sends signals to processes.</summary>
public static class ProcessSignal
{
    private const int KillSignal = 9;
    private const int TerminateSignal = 15;

    /// <summary>Asks a process to end (SIGTERM); one that has ended already is no error.</summary>
    /// <param name="pid">The process.</param>
    /// <exception cref="LinuxException">This user may not signal it.</exception>
    public static void Terminate(int pid)
    {
        if (ProcessCalls.Kill(pid, TerminateSignal) < 0 && Call.Error != Errno.ESRCH)
        {
            throw LinuxException.Last("signal", $"process {pid}");
        }
    }

    /// <summary>Asks all processes of a group to end (SIGTERM).</summary>
    /// <param name="group">The group's number, more than 1.</param>
    /// <returns>False where nobody could be asked: the group is gone, or another user's.</returns>
    public static bool TryTerminateGroup(int group) => TrySignalGroup(group, TerminateSignal);

    /// <summary>Ends all processes of a group (SIGKILL); one that hangs in the kernel goes when it comes back from there.</summary>
    /// <param name="group">The group's number, more than 1.</param>
    /// <returns>False where nobody could be ended: the group is gone, or another user's.</returns>
    public static bool TryKillGroup(int group) => TrySignalGroup(group, KillSignal);

    private static bool TrySignalGroup(int group, int signal)
    {
        // -1 would be every process of the host, -0 our own group.
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(group, 1);
        return ProcessCalls.Kill(-group, signal) == 0;
    }
}
