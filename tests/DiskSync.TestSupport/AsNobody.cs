using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace DiskSync.TestSupport;

/// <summary>Does something as the real user "nobody", in this process. Needs root.</summary>
/// <remarks>
/// The kernel keeps users by thread: the bare system call changes one thread only, which ends with the action. (The C
/// library's function of that name would change them all.)
/// </remarks>
public static partial class AsNobody
{
    private const int Nobody = 65534;

    /// <summary>Runs the action on a thread of its own and passes on what it throws.</summary>
    public static void Run(Action action)
    {
        Root.Require("act as another user");
        ExceptionDispatchInfo? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                long number = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 147 : 117;
                if (SetUser(number, Nobody, Nobody, Nobody) != 0)
                {
                    throw new InvalidOperationException($"setresuid: errno {Marshal.GetLastPInvokeError()}");
                }

                action();
            }
            catch (Exception exception)
            {
                failure = ExceptionDispatchInfo.Capture(exception);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial long SetUser(long number, long real, long effective, long saved);
}
