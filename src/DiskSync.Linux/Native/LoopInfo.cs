using System.Runtime.InteropServices;

namespace DiskSync.Linux.Native;

/// <summary>The start of struct loop_info64 (232 bytes) of LOOP_GET_STATUS64.</summary>
[StructLayout(LayoutKind.Explicit, Size = 232)]
internal struct LoopInfo
{
    /// <summary>The device that the backing file is on, packed.</summary>
    [FieldOffset(0)]
    internal ulong Device;

    [FieldOffset(8)]
    internal ulong Inode;

    /// <summary>The device that the backing file is, where it is a device, packed.</summary>
    [FieldOffset(16)]
    internal ulong SpecialDevice;

    [FieldOffset(24)]
    internal ulong Offset;

    [FieldOffset(32)]
    internal ulong SizeLimit;

    /// <summary>Takes the kernel's packed device number apart (new_encode_dev).</summary>
    internal static DeviceNumber Unpack(ulong packed) =>
        new((uint)((packed >> 8) & 0xfff), (uint)((packed & 0xff) | ((packed >> 12) & 0xfff00)));
}
