using System.Runtime.InteropServices;

namespace DiskSync.Linux.Native;

/// <summary>ioctl(2) requests for block devices, loop devices and file clones; same numbers on x64 and arm64.</summary>
internal static unsafe partial class Ioctls
{
    internal const ulong IsReadOnly = 0x125E;
    internal const ulong FlushBuffers = 0x1261;
    internal const ulong SectorSize = 0x1268;
    internal const ulong Discard = 0x1277;
    internal const ulong ZeroOut = 0x127F;
    internal const ulong DeviceSize = 0x8008_1272;
    internal const ulong CloneFile = 0x4004_9409;
    internal const ulong LoopStatus = 0x4C05;

    [LibraryImport(Call.Library, EntryPoint = "ioctl", SetLastError = true)]
    internal static partial int Control(SafeHandle file, ulong request, long argument);

    [LibraryImport(Call.Library, EntryPoint = "ioctl", SetLastError = true)]
    internal static partial int Control(SafeHandle file, ulong request, void* argument);
}
