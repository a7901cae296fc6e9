using DiskSync.Linux.Native;

namespace DiskSync.Linux;

/// <summary>Sends signals to processes.</summary>
public static class ProcessSignal
{
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
}
