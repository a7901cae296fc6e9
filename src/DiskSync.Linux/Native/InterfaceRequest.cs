using System.Runtime.InteropServices;
using System.Text;

namespace DiskSync.Linux.Native;

/// <summary>struct ifreq: an interface's name, and a union of which only the flags are used here.</summary>
[StructLayout(LayoutKind.Explicit, Size = 40)]
internal unsafe struct InterfaceRequest
{
    /// <summary>IFNAMSIZ less the zero byte at the end.</summary>
    internal const int MaxNameBytes = 15;

    [FieldOffset(0)]
    internal fixed byte NameBytes[16];

    [FieldOffset(16)]
    internal short Flags;

    /// <summary>The name, as far as its zero byte.</summary>
    internal readonly string Name
    {
        get
        {
            fixed (byte* name = NameBytes)
            {
                ReadOnlySpan<byte> all = new(name, MaxNameBytes);
                int end = all.IndexOf((byte)0);
                return Encoding.UTF8.GetString(end < 0 ? all : all[..end]);
            }
        }
    }

    /// <summary>Sets the name; the caller has checked its length.</summary>
    internal void SetName(string text)
    {
        fixed (byte* name = NameBytes)
        {
            Encoding.UTF8.GetBytes(text, new Span<byte>(name, MaxNameBytes));
        }
    }
}
