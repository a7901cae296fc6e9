using System.Runtime.InteropServices;

namespace DiskSync.Linux.Native;

/// <summary>Calls on names in directories.</summary>
internal static partial class PathCalls
{
    internal const uint NoReplace = 1;

    [LibraryImport(
        Call.Library, EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Rename(int fromDirectory, string from, int toDirectory, string to, uint flags);

    [LibraryImport(
        Call.Library, EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Rename(
        SafeHandle fromDirectory, string from, SafeHandle toDirectory, string to, uint flags);

    [LibraryImport(
        Call.Library, EntryPoint = "linkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Link(int fromDirectory, string from, int toDirectory, string to, int flags);

    [LibraryImport(
        Call.Library, EntryPoint = "unlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Unlink(int directory, string path, int flags);

    [LibraryImport(
        Call.Library, EntryPoint = "unlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Unlink(SafeHandle directory, string path, int flags);
}
