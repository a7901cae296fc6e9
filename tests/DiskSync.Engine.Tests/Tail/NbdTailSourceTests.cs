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

    public NbdTailSourceTests()
    {
        _image = BlockDevices.OpenSource(_folder.Write("frozen", _content));
        _export = new BlockDeviceExport(_image, "frozen", isReadOnly: true);
        _server = new NbdServer([_export], new NbdServerOptions());
    }

    [Fact]
    public async Task What_is_urgent_goes_by_a_connection_of_its_own()
    {
        using NbdTailSource source = new();
        source.Take(Connect(), isUrgent: false);
        source.Take(Connect(), isUrgent: true);
        byte[] buffer = new byte[10_000];
        await source.ReadAsync(5000, buffer, isUrgent: false, CancellationToken.None);
        Assert.Equal(_content[5000..15_000], buffer);
        Cut(0);
        await Assert.ThrowsAsync<TailLinkException>(() => source.ReadAsync(0, buffer, isUrgent: false, CancellationToken.None));
        await source.ReadAsync(77, buffer, isUrgent: true, CancellationToken.None);
        Assert.Equal(_content[77..10_077], buffer);
    }

    [Fact]
    public async Task While_one_of_the_two_is_lost_the_other_serves_both()
    {
        using NbdTailSource source = new();
        source.Take(Connect(), isUrgent: false);
        byte[] buffer = new byte[100];
        await source.ReadAsync(0, buffer, isUrgent: true, CancellationToken.None);
        Assert.Equal(_content[..100], buffer);
        Assert.True(source.IsLinked);
    }

    [Fact]
    public async Task A_connection_whose_loss_nobody_would_notice_is_asked_for_a_little()
    {
        using NbdTailSource source = new(TimeSpan.FromMilliseconds(20));
        source.Take(Connect(), isUrgent: true);
        Cut();
        await TailLab.UntilAsync(() => !source.IsLinked);
        Task link = source.WaitForLinkAsync(CancellationToken.None);
        Assert.False(link.IsCompleted);
        source.Take(Connect(), isUrgent: true);
        await link;
    }

    [Fact]
    public async Task A_lost_connection_is_replaced_by_the_one_that_the_source_makes_next()
    {
        using NbdTailSource source = new();
        source.Take(Connect(), isUrgent: true);
        byte[] buffer = new byte[100];
        await source.ReadAsync(0, buffer, isUrgent: true, CancellationToken.None);
        Cut();
        await Assert.ThrowsAsync<TailLinkException>(() => source.ReadAsync(0, buffer, isUrgent: true, CancellationToken.None));
        await Assert.ThrowsAsync<TailLinkException>(() => source.ReadAsync(0, buffer, isUrgent: true, CancellationToken.None));
        Task link = source.WaitForLinkAsync(CancellationToken.None);
        Assert.False(link.IsCompleted);
        source.Take(Connect(), isUrgent: true);
        await link;
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

    private NbdClient Connect() => NbdClient.Connect(
        _ =>
        {
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

    private void Cut(int? only = null)
    {
        foreach (Socket end in only is { } one ? [_ends[one]] : _ends)
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
