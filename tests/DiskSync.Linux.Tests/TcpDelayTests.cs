using System.Net;
using System.Net.Sockets;

namespace DiskSync.Linux.Tests;

public sealed class TcpDelayTests
{
    // IPV6_TCLASS.
    private const int TrafficClass = 67;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Connections_of_this_process_are_found_asked_and_marked(bool mapped)
    {
        using TcpListener listener = new(mapped ? IPAddress.Loopback : IPAddress.IPv6Loopback, 0);
        listener.Start();
        using Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(listener.LocalEndpoint is IPEndPoint end && mapped
            ? new IPEndPoint(IPAddress.Loopback.MapToIPv6(), end.Port)
            : listener.LocalEndpoint);
        using Socket accepted = await listener.AcceptSocketAsync();
        await socket.SendAsync(new byte[1000]);
        byte[] received = new byte[1000];
        await accepted.ReceiveAsync(received);

        Assert.True(TcpDelay.MarkLowerEffort() >= 2);

        // Asked of the socket itself: the DSCP is in the upper six bits of the octet.
        byte[] mark = new byte[4];
        socket.GetRawSocketOption(mapped ? 0 : 41, mapped ? 1 : TrafficClass, mark);
        Assert.Equal(4, BitConverter.ToInt32(mark));

        // Whatever it is, it was told by a connection that has just sent something.
        await socket.SendAsync(new byte[1000]);
        Assert.NotNull(TcpDelay.Queueing());
    }

    [Fact]
    public async Task What_the_peers_host_has_acknowledged_is_told_by_the_socket()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        using Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
        Assert.Null(TcpDelay.Acknowledged(socket.SafeHandle));
        await socket.ConnectAsync(listener.LocalEndpoint);
        using Socket accepted = await listener.AcceptSocketAsync();
        long before = TcpDelay.Acknowledged(socket.SafeHandle)!.Value;
        await socket.SendAsync(new byte[1000]);
        for (int i = 0; i < 500 && TcpDelay.Acknowledged(socket.SafeHandle) < before + 1000; i++)
        {
            await Task.Delay(10);
        }

        Assert.Equal(before + 1000, TcpDelay.Acknowledged(socket.SafeHandle));
        socket.Dispose();
        Assert.Null(TcpDelay.Acknowledged(socket.SafeHandle));
    }
}
