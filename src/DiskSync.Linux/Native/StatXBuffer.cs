using System.Runtime.InteropServices;

namespace DiskSync.Linux.Native;

/// <summary>struct statx: 256 bytes, fixed offsets.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct StatXBuffer
{
    [FieldOffset(0)]
    internal uint Mask;

    [FieldOffset(16)]
    internal uint Links;

    [FieldOffset(20)]
    internal uint User;

    [FieldOffset(24)]
    internal uint Group;

    [FieldOffset(28)]
    internal ushort Mode;

    [FieldOffset(32)]
    internal ulong Inode;

    [FieldOffset(40)]
    internal long Size;

    [FieldOffset(48)]
    internal long Blocks;

    [FieldOffset(80)]
    internal long BirthSeconds;

    [FieldOffset(88)]
    internal uint BirthNanoseconds;

    [FieldOffset(96)]
    internal long ChangeSeconds;

    [FieldOffset(104)]
    internal uint ChangeNanoseconds;

    [FieldOffset(112)]
    internal long ModifySeconds;

    [FieldOffset(120)]
    internal uint ModifyNanoseconds;

    [FieldOffset(128)]
    internal uint SpecialMajor;

    [FieldOffset(132)]
    internal uint SpecialMinor;

    [FieldOffset(136)]
    internal uint DeviceMajor;

    [FieldOffset(140)]
    internal uint DeviceMinor;

    [FieldOffset(152)]
    internal uint DirectMemoryAlign;

    [FieldOffset(156)]
    internal uint DirectOffsetAlign;
}
