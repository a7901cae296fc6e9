using System.Runtime.InteropServices;

namespace DiskSync.Linux.Native;

/// <summary>The start of struct statfs on 64-bit systems; the size leaves room for every C library's rest.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct FileSystemStatBuffer
{
    /// <summary>f_type: the magic of the file system's kind.</summary>
    [FieldOffset(0)]
    internal long Type;

    /// <summary>f_fsid: made from the UUID by ext4 and btrfs, from the device number by xfs.</summary>
    [FieldOffset(56)]
    internal ulong Id;
}
