using System.Runtime.InteropServices;

namespace DiskSync.Linux.Native;

/// <summary>struct pollfd of poll(2).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PollEntry
{
    internal int File;
    internal short Wanted;
    internal short Found;
}
