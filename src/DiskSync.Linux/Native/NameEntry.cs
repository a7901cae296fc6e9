using System.Runtime.InteropServices;

namespace DiskSync.Linux.Native;

/// <summary>The common start of struct passwd and struct group; the size leaves room for the rest of either.</summary>
[StructLayout(LayoutKind.Explicit, Size = 128)]
internal struct NameEntry
{
    [FieldOffset(0)]
    internal nint Name;

    /// <summary>The user's or group's number.</summary>
    [FieldOffset(16)]
    internal uint Id;

    /// <summary>A user's primary group; for a group, not defined.</summary>
    [FieldOffset(20)]
    internal uint PrimaryGroup;
}
