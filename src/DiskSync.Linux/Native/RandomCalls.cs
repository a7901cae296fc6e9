using System.Runtime.InteropServices;

namespace DiskSync.Linux.Native;

/// <summary>getrandom(2).</summary>
internal static unsafe partial class RandomCalls
{
    [LibraryImport(Call.Library, EntryPoint = "getrandom", SetLastError = true)]
    internal static partial nint Random(byte* buffer, nint length, uint flags);
}
