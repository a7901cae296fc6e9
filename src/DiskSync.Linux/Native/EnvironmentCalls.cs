using System.Runtime.InteropServices;

namespace DiskSync.Linux.Native;

/// <summary>Calls that concern the process's environment.</summary>
internal static partial class EnvironmentCalls
{
    [LibraryImport(Call.Library, EntryPoint = "setenv", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Set(string name, string value, int overwrite);
}
