using System.Runtime.InteropServices;

namespace DiskSync.Linux.Native;

/// <summary>Calls on an open file: data, space, durability, advice and locks.</summary>
internal static unsafe partial class FileCalls
{
    internal const int KeepSize = 0x01;
    internal const int PunchHole = 0x02;
    internal const int ZeroRange = 0x10;

    internal const int SeekData = 3;
    internal const int SeekHole = 4;

    internal const int NoWait = 0x08;

    internal const int LockShared = 1;
    internal const int LockExclusive = 2;
    internal const int LockNonBlocking = 4;
    internal const int LockRelease = 8;

    [LibraryImport(Call.Library, EntryPoint = "pread", SetLastError = true)]
    internal static partial nint Read(SafeHandle file, byte* buffer, nint count, long offset);

    [LibraryImport(Call.Library, EntryPoint = "pwrite", SetLastError = true)]
    internal static partial nint Write(SafeHandle file, byte* buffer, nint count, long offset);

    [LibraryImport(Call.Library, EntryPoint = "preadv2", SetLastError = true)]
    internal static partial nint ReadVector(SafeHandle file, IoVector* vectors, int count, long offset, int flags);

    [LibraryImport(Call.Library, EntryPoint = "fdatasync", SetLastError = true)]
    internal static partial int DataSync(SafeHandle file);

    [LibraryImport(Call.Library, EntryPoint = "fsync", SetLastError = true)]
    internal static partial int Sync(SafeHandle file);

    [LibraryImport(Call.Library, EntryPoint = "sync_file_range", SetLastError = true)]
    internal static partial int SyncRange(SafeHandle file, long offset, long count, uint flags);

    [LibraryImport(Call.Library, EntryPoint = "ftruncate", SetLastError = true)]
    internal static partial int Truncate(SafeHandle file, long length);

    [LibraryImport(Call.Library, EntryPoint = "fallocate", SetLastError = true)]
    internal static partial int Allocate(SafeHandle file, int mode, long offset, long length);

    [LibraryImport(Call.Library, EntryPoint = "lseek", SetLastError = true)]
    internal static partial long Seek(SafeHandle file, long offset, int whence);

    [LibraryImport(Call.Library, EntryPoint = "flock", SetLastError = true)]
    internal static partial int Lock(SafeHandle file, int operation);

    /// <summary>Returns the error number itself.</summary>
    [LibraryImport(Call.Library, EntryPoint = "posix_fadvise")]
    internal static partial int Advise(SafeHandle file, long offset, long length, int advice);

    [LibraryImport(Call.Library, EntryPoint = "fchmod", SetLastError = true)]
    internal static partial int ChangeMode(SafeHandle file, uint mode);

    [LibraryImport(Call.Library, EntryPoint = "fchown", SetLastError = true)]
    internal static partial int ChangeOwner(SafeHandle file, uint user, uint group);

    [LibraryImport(Call.Library, EntryPoint = "copy_file_range", SetLastError = true)]
    internal static partial nint CopyRange(
        SafeHandle from, ref long fromOffset, SafeHandle to, ref long toOffset, nint length, uint flags);
}
