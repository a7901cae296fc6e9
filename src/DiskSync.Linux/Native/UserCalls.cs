using System.Runtime.InteropServices;

namespace DiskSync.Linux.Native;

/// <summary>The user and group databases, in their reentrant forms; these return the error number itself.</summary>
internal static unsafe partial class UserCalls
{
    [LibraryImport(Call.Library, EntryPoint = "geteuid")]
    internal static partial uint EffectiveUser();

    [LibraryImport(Call.Library, EntryPoint = "getpwnam_r", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int UserByName(string name, out NameEntry entry, byte* buffer, nint size, out nint found);

    [LibraryImport(Call.Library, EntryPoint = "getpwuid_r")]
    internal static partial int UserById(uint id, out NameEntry entry, byte* buffer, nint size, out nint found);

    [LibraryImport(Call.Library, EntryPoint = "getgrnam_r", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int GroupByName(string name, out NameEntry entry, byte* buffer, nint size, out nint found);

    [LibraryImport(Call.Library, EntryPoint = "getgrgid_r")]
    internal static partial int GroupById(uint id, out NameEntry entry, byte* buffer, nint size, out nint found);
}
