using System.Globalization;
using System.Runtime.InteropServices;
using DiskSync.Linux.Native;

namespace DiskSync.Linux;

/// <summary>What this process's own TCP connections tell of the path, and how their packets are marked.</summary>
/// <remarks>
/// Connections are found among the process's descriptors, so that whoever asks need not know who opened them, nor what is
/// between (TLS); those of a child such as ssh are not ours to ask.
/// </remarks>
public static unsafe class TcpDelay
{
    // RFC 8622: DSCP 000001, in the upper six bits of the octet.
    private const int LowerEffort = 1 << 2;
    private static readonly uint OldestMilliseconds = 500;

    /// <summary>How long packets wait in queues on the way, beyond the least round trip seen (RFC 6817, section 2.1).</summary>
    /// <returns>
    /// The least of all connections that sent something in the last half second, as noise only adds; null where there is none.
    /// </returns>
    public static TimeSpan? Queueing()
    {
        long least = long.MaxValue;
        foreach (int descriptor in Descriptors())
        {
            if (TryInfo(descriptor, out TcpInfo info) && info.SinceSent < OldestMilliseconds && info.LeastRoundTrip > 0)
            {
                least = Math.Min(least, Math.Max(0, (long)info.RoundTrip - info.LeastRoundTrip));
            }
        }

        return least == long.MaxValue ? null : TimeSpan.FromMicroseconds(least);
    }

    /// <summary>Marks the packets of all connections as lower effort (DSCP LE, RFC 8622): routers that know it put them last.</summary>
    /// <returns>How many connections there are.</returns>
    public static int MarkLowerEffort()
    {
        int connections = 0;
        foreach (int descriptor in Descriptors())
        {
            if (TryInfo(descriptor, out _))
            {
                connections++;

                // Both, because a socket of IPv6 may carry IPv4; the one that does not fit is refused and that is well.
                _ = SocketCalls.SetOption(descriptor, SocketCalls.Ip, SocketCalls.IpTos, LowerEffort, sizeof(int));
                _ = SocketCalls.SetOption(descriptor, SocketCalls.IpV6, SocketCalls.IpV6TrafficClass, LowerEffort, sizeof(int));
            }
        }

        return connections;
    }

    /// <summary>How many bytes of a connection the peer's host has acknowledged, what is between (TLS) included.</summary>
    /// <returns>Null where the socket is none of TCP, or is not connected.</returns>
    public static long? Acknowledged(SafeHandle socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        bool held = false;
        try
        {
            socket.DangerousAddRef(ref held);
            return TryInfo((int)socket.DangerousGetHandle(), out TcpInfo info) ? (long)info.BytesAcknowledged : null;
        }
        catch (ObjectDisposedException)
        {
            return null;
        }
        finally
        {
            if (held)
            {
                socket.DangerousRelease();
            }
        }
    }

    private static bool TryInfo(int descriptor, out TcpInfo info)
    {
        info = default;
        uint length = (uint)sizeof(TcpInfo);
        fixed (TcpInfo* start = &info)
        {
            return SocketCalls.GetOption(descriptor, SocketCalls.Tcp, SocketCalls.TcpInformation, start, ref length) == 0
                && length >= (uint)sizeof(TcpInfo) && info.State == TcpInfo.Established;
        }
    }

    private static List<int> Descriptors()
    {
        List<int> sockets = [];
        foreach (string path in Directory.EnumerateFileSystemEntries("/proc/self/fd"))
        {
            // What is closed meanwhile, or becomes something else, answers with an error or for itself.
            if (int.TryParse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out int descriptor))
            {
                sockets.Add(descriptor);
            }
        }

        return sockets;
    }
}
