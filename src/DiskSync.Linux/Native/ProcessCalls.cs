using System.Runtime.InteropServices;

namespace DiskSync.Linux.Native;

/// <summary>Calls that concern other processes.</summary>
internal static partial class ProcessCalls
{
    [LibraryImport(Call.Library, EntryPoint = "kill", SetLastError = true)]
    internal static partial int Kill(int pid, int signal);
}
