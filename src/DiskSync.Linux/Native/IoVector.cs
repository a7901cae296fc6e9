using System.Runtime.InteropServices;

namespace DiskSync.Linux.Native;

/// <summary>struct iovec: a piece of memory.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct IoVector
{
    /// <summary>iov_base.</summary>
    internal byte* Start;

    /// <summary>iov_len.</summary>
    internal nuint Length;
}
