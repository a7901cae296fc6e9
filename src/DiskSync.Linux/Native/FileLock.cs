using System.Runtime.InteropServices;

namespace DiskSync.Linux.Native;

/// <summary>struct flock of fcntl(2) with 64-bit offsets.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FileLock
{
    internal const short Write = 1;
    internal const short Unlocked = 2;

    internal short Type;
    internal short Whence;
    internal long Start;
    internal long Length;
    internal int Process;
}
