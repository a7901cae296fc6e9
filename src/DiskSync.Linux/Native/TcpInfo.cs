using System.Runtime.InteropServices;

namespace DiskSync.Linux.Native;

/// <summary>The start of struct tcp_info (linux/tcp.h); the kernel only ever appends to it.</summary>
[StructLayout(LayoutKind.Explicit, Size = 152)]
internal struct TcpInfo
{
    /// <summary>TCP_ESTABLISHED.</summary>
    internal const byte Established = 1;

    [FieldOffset(0)]
    internal byte State;

    /// <summary>Milliseconds since data was sent last.</summary>
    [FieldOffset(44)]
    internal uint SinceSent;

    /// <summary>The smoothed round trip in microseconds.</summary>
    [FieldOffset(68)]
    internal uint RoundTrip;

    /// <summary>Bytes that the peer's host has acknowledged.</summary>
    [FieldOffset(120)]
    internal ulong BytesAcknowledged;

    /// <summary>The least round trip of the last minutes, in microseconds (net.ipv4.tcp_min_rtt_wlen).</summary>
    [FieldOffset(148)]
    internal uint LeastRoundTrip;
}
