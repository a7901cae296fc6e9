using System.Net.Sockets;

namespace DiskSync.Engine.Transports;

/// <summary>What both ends set on a TCP socket.</summary>
/// <remarks>
/// Not SO_SNDBUF and SO_RCVBUF: setting them turns the kernel's autotuning off (tcp(7)), and whatever were chosen would be
/// too small for a long fat link or wasted on a short one.
/// </remarks>
public static class TcpSocketSettings
{
    private const int IdleSeconds = 30;
    private const int ProbeSeconds = 10;
    private const int Probes = 3;

    // tcp(7), TCP_USER_TIMEOUT, in milliseconds; .NET has no name for it. It matters where data is on its way, when
    // keep-alive probes are not sent: without it a dead peer's socket stays for a quarter of an hour.
    private const int UserTimeout = 18;
    private const int UserTimeoutMilliseconds = 60_000;

    // tcp(7), TCP_CONGESTION.
    private const int Congestion = 13;

    /// <summary>Chooses a congestion control for short answers with pauses between, where the system's own may be another.</summary>
    /// <remarks>
    /// bbr paces by a rate that it has measured from such answers, and so takes a third of a round trip longer for each, and every ten
    /// seconds it lets but four packets be under way for a fifth of a second; cubic ends its slow start where delays vary, which
    /// they do beside a background (docs/performance.md, "Reads of what is missing"). Where reno is not allowed the system's stays.
    /// </remarks>
    public static void PreferShortAnswers(Socket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        try
        {
            socket.SetRawSocketOption((int)SocketOptionLevel.Tcp, Congestion, "reno"u8);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // Not known here, not allowed, or the connection has just ended.
        }
    }

    /// <summary>Applies the settings; a listening socket hands them on to what it accepts (Linux).</summary>
    public static void Apply(Socket socket)
    {
        // A frame is written whole, and its end must not wait for an acknowledgement of what came before.
        socket.NoDelay = true;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, IdleSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, ProbeSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, Probes);
        socket.SetRawSocketOption((int)SocketOptionLevel.Tcp, UserTimeout, BitConverter.GetBytes(UserTimeoutMilliseconds));
    }
}
