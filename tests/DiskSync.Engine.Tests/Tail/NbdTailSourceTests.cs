using System.Net.Sockets;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Exports;
using DiskSync.Engine.Tail;
using DiskSync.Nbd.Client;
using DiskSync.Nbd.Server;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.Tail;

/// <summary>A frozen image that our NBD server serves read-only, over connections that break.</summary>
public sealed class NbdTailSourceTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly byte[] _content = SampleImage.Noise(5, 4 << 20);
    private readonly IBlockDevice _image;
    private readonly BlockDeviceExport _export;
    private readonly NbdServer _server;
    private readonly List<Socket> _ends = [];
    private readonly List<bool> _connected = [];
    private bool _isDown;

    public NbdTailSourceTests()
    {
        _image = BlockDevices.OpenSource(_folder.Write("frozen", _content));
        _export = new BlockDeviceExport(_image, "frozen", isReadOnly: true);
        _server = new NbdServer([_export], new NbdServerOptions());
    }

    [Fact]
    public async Task What_is_urgent_goes_by_a_connection_of_its_own()
    {
        using NbdTailSource source = new(Connect, TimeSpan.FromMilliseconds(20));
        byte[] buffer = new byte[10_000];
        await source.ReadAsync(5000, buffer, isUrgent: false, CancellationToken.None);
        Assert.Equal(_content[5000..15_000], buffer);
        await source.ReadAsync(0, buffer, isUrgent: true, CancellationToken.None);
        await source.ReadAsync(77, buffer, isUrgent: true, CancellationToken.None);
        Assert.Equal(_content[77..10_077], buffer);
        Assert.Equal([false, true], _connected);
    }

    [Fact]
    public async Task A_lost_connection_is_made_anew_once_there_is_a_link()
    {
        using NbdTailSource source = new(Connect, TimeSpan.FromMilliseconds(20));
        byte[] buffer = new byte[100];
        await source.ReadAsync(0, buffer, isUrgent: true, CancellationToken.None);
        Cut();
        _isDown = true;
        await Assert.ThrowsAsync<TailLinkException>(() => source.ReadAsync(0, buffer, isUrgent: true, CancellationToken.None));
        await Assert.ThrowsAsync<TailLinkException>(() => source.ReadAsync(0, buffer, isUrgent: true, CancellationToken.None));
        _isDown = false;
        await source.WaitForLinkAsync(CancellationToken.None);
        await source.ReadAsync(300, buffer, isUrgent: true, CancellationToken.None);
        Assert.Equal(_content[300..400], buffer);
    }

    public void Dispose()
    {
        Cut();
        _server.Dispose();
        _export.Dispose();
        _image.Dispose();
        _folder.Dispose();
    }

    private NbdClient Connect(bool isUrgent)
    {
        _connected.Add(isUrgent);
        return NbdClient.Connect(
            _ =>
            {
                if (_isDown)
                {
                    throw new IOException("the link is down");
                }

                using Socket listening = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                string path = _folder.File($"s{_ends.Count}");
                listening.Bind(new UnixDomainSocketEndPoint(path));
                listening.Listen();
                Socket near = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                near.Connect(new UnixDomainSocketEndPoint(path));
                Socket far = listening.Accept();
                _ends.Add(far);
                new Thread(() => Serve(far)) { IsBackground = true }.Start();
                return new NetworkStream(near, ownsSocket: true);
            },
            new NbdClientOptions());
    }

    private void Serve(Socket far)
    {
        try
        {
            _server.Serve(new NetworkStream(far, ownsSocket: true));
        }
        catch (IOException)
        {
            // It was cut.
        }
    }

    private void Cut()
    {
        foreach (Socket end in _ends)
        {
            try
            {
                end.Shutdown(SocketShutdown.Both);
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                // It has gone already.
            }
        }
    }
}
