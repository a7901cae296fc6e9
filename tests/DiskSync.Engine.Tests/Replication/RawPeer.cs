using DiskSync.Codecs;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Transports;
using DiskSync.Formats.Wire;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Engine.Tests.Replication;

/// <summary>A peer that says whatever a test wants it to say.</summary>
internal static class RawPeer
{
    public const ushort Image = 0;

    public static Hello Hello { get; } = new(Guid.NewGuid(), 0, ulong.MaxValue, WireLimits.MaxBody, "here", "test");

    public static Welcome WelcomeTo(Hello hello) => new(hello.SessionId, hello.Capabilities, WireLimits.MaxBody, 1 << 20, "there", "test");

    /// <summary>Plays a source as far as the greeting.</summary>
    public static async Task<Connection> GreetAsync(ITransport transport)
    {
        Connection connection = new(transport, new ConnectionOptions());
        await connection.OpenAsync(greeting: null, CancellationToken.None);
        await connection.SendAsync(FrameHeader.NoImage, Hello, CancellationToken.None);
        Assert.IsType<Welcome>((await connection.ReceiveAsync(CancellationToken.None)).Message);
        return connection;
    }

    /// <summary>Opens vm.img as a source would, empty.</summary>
    public static async Task<ImageReady> OpenImageAsync(Connection connection, long length)
    {
        await connection.SendAsync(
            Image,
            new OpenImage("vm.img", (ulong)length, 64 << 10, OpenFlags.None, BaseChoice.None, string.Empty, Hash256.Unknown, uint.MaxValue, string.Empty),
            CancellationToken.None);
        return Assert.IsType<ImageReady>((await connection.ReceiveAsync(CancellationToken.None)).Message);
    }
}
