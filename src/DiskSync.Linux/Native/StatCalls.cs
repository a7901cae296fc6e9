using System.Runtime.InteropServices;

namespace DiskSync.Linux.Native;

/// <summary>statx(2), chosen over stat(2) because its layout is the same on all architectures, statvfs(3) and statfs(2).</summary>
internal static unsafe partial class StatCalls
{
    internal const int CurrentDirectory = -100;
    internal const int NoFollow = 0x100;
    internal const int EmptyPath = 0x1000;

    /// <summary>The basic fields, the birth time and the alignment of direct I/O.</summary>
    internal const uint WantedFields = 0x7ff | BirthTimeField | DirectAlignField;
    internal const uint BirthTimeField = 0x800;
    internal const uint DirectAlignField = 0x2000;

    [LibraryImport(Call.Library, EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int StatX(int directory, string path, int flags, uint mask, out StatXBuffer buffer);

    [LibraryImport(Call.Library, EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int StatX(SafeHandle directory, string path, int flags, uint mask, out StatXBuffer buffer);

    [LibraryImport(
        Call.Library, EntryPoint = "statvfs", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int StatFileSystem(string path, out FileSystemBuffer buffer);

    [LibraryImport(Call.Library, EntryPoint = "fstatfs", SetLastError = true)]
    internal static partial int StatFileSystemOf(SafeHandle file, out FileSystemStatBuffer buffer);
}
