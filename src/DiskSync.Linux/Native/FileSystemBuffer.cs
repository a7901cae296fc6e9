using System.Runtime.InteropServices;

namespace DiskSync.Linux.Native;

/// <summary>The start of struct statvfs on 64-bit systems; the size leaves room for every C library's rest.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct FileSystemBuffer
{
    /// <summary>f_frsize: the unit of the counts below.</summary>
    [FieldOffset(8)]
    internal ulong FragmentSize;

    [FieldOffset(16)]
    internal ulong Total;

    /// <summary>f_bavail: what an ordinary user may still take.</summary>
    [FieldOffset(32)]
    internal ulong Available;

    /// <summary>f_fsid: made from the UUID by ext4 and btrfs, from the device number by xfs.</summary>
    [FieldOffset(64)]
    internal ulong Id;
}
