using DiskSync.Nbd.Client;
using DiskSync.Nbd.Wire;
using DiskSync.TestSupport;

namespace DiskSync.Nbd.Tests;

/// <summary>The client before other people's servers: nbdkit and qemu-nbd.</summary>
public sealed class RealServerTests
{
    private const int Length = 12 << 20;

    [Theory]
    [InlineData("raw")]
    [InlineData("qcow2")]
    [InlineData("vmdk")]
    [InlineData("vhdx")]
    public void Images_behind_qemu_nbd_are_read_and_written(string format)
    {
        using TempFolder folder = new();
        string image = folder.File("image");
        Tool.Run("qemu-utils", "qemu-img", "create", "-q", "-f", format, image, $"{Length}");
        byte[] expected = new byte[Length];
        SampleImage.Noise(1, 3 << 20).CopyTo(expected, 1 << 20);
        using (NbdServerProcess server = NbdServerProcess.QemuNbd("--format", format, "--shared=8", image))
        {
            using (NbdClient client = Connect(server.Uri))
            {
                Assert.Equal(Length, client.Export.Length);
                client.Write(1 << 20, expected.AsSpan(1 << 20, 3 << 20));
                client.Zero(2 << 20, 1 << 20);
                expected.AsSpan(2 << 20, 1 << 20).Clear();
                client.Flush();
                byte[] read = new byte[Length];
                client.Read(0, read);
                Assert.True(read.AsSpan().SequenceEqual(expected));

                // QEMU tells none of a VHDX.
                Assert.True(Holes(client, Length) > 0 || format == "vhdx", "no holes are told");
            }

            server.Stop();
        }

        // The judge reads the image without us.
        File.WriteAllBytes(folder.File("expected"), expected);
        Tool.Run("qemu-utils", "qemu-img", "compare", "-f", format, "-F", "raw", image, folder.File("expected"));
    }

    [Fact]
    public void A_dirty_bitmap_of_qemu_is_read_as_a_kind_of_block_status()
    {
        using TempFolder folder = new();
        string image = folder.File("image.qcow2");
        Tool.Run("qemu-utils", "qemu-img", "create", "-q", "-f", "qcow2", image, $"{Length}");
        Tool.Run("qemu-utils", "qemu-img", "bitmap", "--add", "--granularity", "64K", image, "b0");
        Tool.Run("qemu-utils", "qemu-io", "-f", "qcow2", "-c", "write 1M 64k", "-c", "write 5M 1", image);
        using NbdServerProcess server = NbdServerProcess.QemuNbd("--format", "qcow2", "--read-only", "--bitmap", "b0", "--allocation-depth", image);
        using NbdClient client = NbdClient.Connect(
            NbdDialer.For(NbdUri.Parse(server.Uri)),
            new NbdClientOptions { StatusKinds = ["qemu:dirty-bitmap:b0", "qemu:allocation-depth", "base:allocation", "none:such"] });
        Assert.Equal(["qemu:dirty-bitmap:b0", "qemu:allocation-depth", "base:allocation"], client.Export.StatusKinds);
        List<(long, long)> dirty = [];
        long at = 0;
        foreach (NbdExtent extent in client.Status("qemu:dirty-bitmap:b0", 0, Length))
        {
            if (extent.Flags != 0)
            {
                dirty.Add((at, extent.Length));
            }

            at += extent.Length;
        }

        Assert.Equal(Length, at);
        Assert.Equal([(1 << 20, 64 << 10), (5 << 20, 64 << 10)], dirty);
        Assert.Equal(1u, client.Status("qemu:allocation-depth", 1 << 20, 65536)[0].Flags);
        Assert.Throws<InvalidOperationException>(() => client.Status("none:such", 0, 512));
    }

    [Fact]
    public async Task Many_requests_on_several_connections_are_answered_in_any_order()
    {
        using NbdServerProcess server = NbdServerProcess.Nbdkit("--filter=delay", "memory", $"{Length}", "delay-read=30ms");
        using NbdClient client = Connect(server.Uri, connections: 4);
        byte[] content = SampleImage.Noise(5, Length);
        await Task.WhenAll(Enumerable.Range(0, Length >> 16).Select(i =>
            client.WriteAsync((long)i << 16, content.AsMemory(i << 16, 1 << 16), fua: i % 7 == 0, CancellationToken.None)));
        Assert.True(SpinWait.SpinUntil(() => client.Connections == 4, TimeSpan.FromSeconds(20)), "the further connections were not made");
        byte[] read = new byte[Length];
        await Task.WhenAll(Enumerable.Range(0, Length >> 16).Select(i =>
            client.ReadAsync((long)i << 16, read.AsMemory(i << 16, 1 << 16), CancellationToken.None)));
        Assert.True(read.AsSpan().SequenceEqual(content));
    }

    [Fact]
    public void An_error_of_the_server_is_told_as_such_and_the_connection_goes_on()
    {
        using TempFolder folder = new();
        string trigger = folder.File("fail");
        using NbdServerProcess server = NbdServerProcess.Nbdkit(
            "--filter=error", "memory", $"{Length}", "error-pread=EIO", "error-pread-rate=100%", $"error-pread-file={trigger}");
        using NbdClient client = Connect(server.Uri);
        File.WriteAllText(trigger, string.Empty);
        NbdServerException failure = Assert.Throws<NbdServerException>(() => client.Read(0, new byte[4096]));
        Assert.Equal(NbdError.Io, failure.Error);
        File.Delete(trigger);
        client.Read(0, new byte[4096]);
    }

    [Fact]
    public void An_old_server_is_begun_with_by_the_oldest_option()
    {
        // No options beyond that one, no chunks, no sizes.
        using NbdServerProcess server = NbdServerProcess.Nbdkit("--no-sr", "--mask-handshake=0", "memory", $"{Length}");
        using NbdClient client = Connect(server.Uri);
        Assert.False(client.Export.IsStructured);
        Assert.Empty(client.Export.StatusKinds);
        byte[] data = SampleImage.Noise(2, 65536);
        client.Write(512, data, fua: true);
        byte[] read = new byte[65536];
        client.Read(512, read);
        Assert.Equal(data, read);
    }

    [Fact]
    public void Sizes_that_a_server_asks_for_are_kept_to()
    {
        using NbdServerProcess server = NbdServerProcess.Nbdkit(
            "--filter=blocksize-policy", "memory", $"{Length}", "blocksize-minimum=4096", "blocksize-maximum=64K", "blocksize-error-policy=error");
        using NbdClient client = Connect(server.Uri);
        Assert.Equal((4096, 65536), (client.Export.MinimumBlock, client.Export.MaximumPayload));
        client.Write(4096, SampleImage.Noise(1, 1 << 20));
        Assert.Throws<ArgumentException>(() => client.Read(512, new byte[4096]));
        Assert.Throws<ArgumentOutOfRangeException>(() => client.Read(Length, new byte[4096]));
    }

    [Fact]
    public void An_export_that_cannot_be_written_says_so_before_anything_is_sent()
    {
        using NbdServerProcess server = NbdServerProcess.Nbdkit("--readonly", "memory", $"{Length}");
        using NbdClient client = Connect(server.Uri);
        Assert.True(client.Export.IsReadOnly);
        Assert.Throws<InvalidOperationException>(() => client.Write(0, new byte[512]));
        Assert.Throws<InvalidOperationException>(() => client.Zero(0, 512));
    }

    [Fact]
    public void A_server_that_is_killed_ends_everything_under_way()
    {
        using NbdServerProcess server = NbdServerProcess.Nbdkit("--filter=delay", "memory", $"{Length}", "delay-read=60");
        using NbdClient client = Connect(server.Uri);
        Task read = client.ReadAsync(0, new byte[4096], CancellationToken.None);
        server.Kill();
        Assert.Equal(NbdConnectionFailure.Lost, Assert.Throws<NbdConnectionException>(() => read.GetAwaiter().GetResult()).Failure);
        Assert.Equal(NbdConnectionFailure.Lost, Assert.Throws<NbdConnectionException>(() => client.Read(0, new byte[512])).Failure);
    }

    [Fact]
    public void A_server_that_never_answers_is_given_up()
    {
        using NbdServerProcess server = NbdServerProcess.Nbdkit("memory", $"{Length}");
        using NbdClient client = NbdClient.Connect(
            NbdDialer.For(NbdUri.Parse(server.Uri)),
            new NbdClientOptions { ReplyLimit = TimeSpan.FromMilliseconds(400), FlushLimit = TimeSpan.FromMilliseconds(400) });
        server.Freeze();
        NbdConnectionException failure = Assert.Throws<NbdConnectionException>(() => client.Read(0, new byte[4096]));
        Assert.Equal(NbdConnectionFailure.Silent, failure.Failure);
        Assert.Contains("4096 bytes at 0", failure.Message, StringComparison.Ordinal);

        // One that does not even greet.
        failure = Assert.Throws<NbdConnectionException>(() => NbdClient.Connect(
            NbdDialer.For(NbdUri.Parse(server.Uri)), new NbdClientOptions { NegotiationLimit = TimeSpan.FromMilliseconds(400) }));
        Assert.Equal(NbdConnectionFailure.Silent, failure.Failure);
        server.Thaw();
    }

    [Fact]
    public void Exports_are_listed_and_those_that_are_not_there_refused()
    {
        using TempFolder folder = new();
        File.WriteAllBytes(folder.File("one"), new byte[512]);
        File.WriteAllBytes(folder.File("two words"), new byte[1024]);
        using NbdServerProcess server = NbdServerProcess.Nbdkit("file", $"dir={folder.Path}");
        NbdUri uri = NbdUri.Parse(server.UriOf("two%20words"));
        Assert.Equal(["one", "two words"], NbdClient.List(NbdDialer.For(uri), new NbdClientOptions()).Select(e => e.Name).Order());
        using NbdClient client = NbdClient.Connect(NbdDialer.For(uri), new NbdClientOptions { ExportName = uri.ExportName });
        Assert.Equal(1024, client.Export.Length);
        Assert.ThrowsAny<Exception>(() => NbdClient.Connect(NbdDialer.For(uri), new NbdClientOptions { ExportName = "three" }));
    }

    [Fact]
    public void Nobody_behind_a_socket_is_told_as_such()
    {
        using TempFolder folder = new();
        NbdConnectionException failure = Assert.Throws<NbdConnectionException>(() => Connect($"nbd+unix:///?socket={folder.File("none")}"));
        Assert.Equal(NbdConnectionFailure.NotReached, failure.Failure);
    }

    private static NbdClient Connect(string uri, int connections = 1) =>
        NbdClient.Connect(NbdDialer.For(NbdUri.Parse(uri)), new NbdClientOptions { Connections = connections });

    private static long Holes(NbdClient client, long length)
    {
        long holes = 0;
        for (long at = 0; at < length;)
        {
            foreach (NbdExtent extent in client.Status(NbdClient.Allocation, at, length - at))
            {
                at += extent.Length;
                holes += ((NbdExtentFlags)extent.Flags).HasFlag(NbdExtentFlags.Zero) ? extent.Length : 0;
            }
        }

        return holes;
    }
}
