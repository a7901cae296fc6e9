using System.Runtime.InteropServices;

namespace DiskSync.Linux.Native;

/// <summary>read(2) and write(2) of packets, waiting for them, TUN devices and network namespaces.</summary>
internal static unsafe partial class NetworkCalls
{
    /// <summary>CLONE_NEWNET: setns(2) then refuses a file that is no network namespace.</summary>
    internal const int NewNetwork = 0x4000_0000;

    /// <summary>TUNSETIFF, _IOW('T', 202, int).</summary>
    internal const ulong SetInterface = 0x4004_54CA;

    /// <summary>IFF_TUN: packets without link-layer headers.</summary>
    internal const short Tun = 0x0001;

    /// <summary>IFF_NO_PI: without the four bytes of flags and protocol before each packet.</summary>
    internal const short NoPacketInformation = 0x1000;

    /// <summary>POLLIN.</summary>
    internal const short Readable = 0x0001;

    [LibraryImport(Call.Library, EntryPoint = "setns", SetLastError = true)]
    internal static partial int EnterNamespace(SafeHandle file, int kind);

    [LibraryImport(Call.Library, EntryPoint = "read", SetLastError = true)]
    internal static partial nint Read(SafeHandle file, byte* buffer, nint count);

    [LibraryImport(Call.Library, EntryPoint = "write", SetLastError = true)]
    internal static partial nint Write(SafeHandle file, byte* buffer, nint count);

    [LibraryImport(Call.Library, EntryPoint = "ppoll", SetLastError = true)]
    internal static partial int Poll(PollEntry* entries, nuint count, TimeSpec* timeout, void* signals);
}
