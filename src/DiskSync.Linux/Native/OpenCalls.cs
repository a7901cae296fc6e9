using System.Runtime.InteropServices;

namespace DiskSync.Linux.Native;

/// <summary>open(2), openat2(2) and fcntl(2).</summary>
internal static unsafe partial class OpenCalls
{
    internal const int OWriteOnly = 1;
    internal const int OReadWrite = 2;
    internal const int OCreate = 0x40;
    internal const int OExclusive = 0x80;
    internal const int ONoTty = 0x100;
    internal const int OTruncate = 0x200;
    internal const int ONonBlock = 0x800;
    internal const int ODataSync = 0x1000;
    internal const int OCloseOnExec = 0x80000;
    internal const int OPath = 0x200000;

    internal const int GetStatusFlags = 3;
    internal const int SetStatusFlags = 4;
    internal const int SetOwner = 8;
    internal const int SetSignal = 10;
    internal const int GetOpenFileLock = 36;
    internal const int SetLease = 1024;
    internal const int GetLease = 1025;
    internal const int ReadLease = 0;
    internal const int WriteLease = 1;
    internal const int NoLease = 2;

    internal const ulong ResolveNoMagicLinks = 0x02;
    internal const ulong ResolveBeneath = 0x08;

    /// <summary>openat2 has this number on every architecture (all calls since Linux 5.1 do).</summary>
    private const long OpenAt2Number = 437;

    private static readonly bool IsArm = RuntimeInformation.ProcessArchitecture is Architecture.Arm64;

    /// <summary>These three differ between the architectures.</summary>
    internal static int ODirect => IsArm ? 0x10000 : 0x4000;

    internal static int ODirectory => IsArm ? 0x4000 : 0x10000;

    internal static int ONoFollow => IsArm ? 0x8000 : 0x20000;

    [LibraryImport(Call.Library, EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Open(string path, int flags, uint mode);

    [LibraryImport(Call.Library, EntryPoint = "fcntl", SetLastError = true)]
    internal static partial int FileControl(SafeHandle file, int command, long argument);

    [LibraryImport(Call.Library, EntryPoint = "fcntl", SetLastError = true)]
    internal static partial int FileControl(SafeHandle file, int command, ref FileLock argument);

    internal static int OpenAt2(SafeHandle root, string path, ref OpenHow how) =>
        (int)SystemCall(OpenAt2Number, root, path, ref how, sizeof(OpenHow));

    [LibraryImport(
        Call.Library, EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial long SystemCall(long number, SafeHandle root, string path, ref OpenHow how, nint size);
}
