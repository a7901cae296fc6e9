using System.Net.Sockets;
using System.Text.Json.Nodes;
using DiskSync.Engine;
using DiskSync.Handoff.Hypervisors.Qemu;
using DiskSync.TestSupport;

namespace DiskSync.Handoff.Tests.Hypervisors;

/// <summary>A real QEMU's monitor; and sockets where something else is.</summary>
public sealed class QmpClientTests : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);
    private readonly TempFolder _folder = new();

    private string Path => _folder.File("q");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_command_is_answered_and_the_events_on_the_way_are_kept()
    {
        using QemuProcess qemu = await QemuProcess.StartAsync(Path, QemuProcess.Bare);
        using QmpClient client = await ConnectAsync(Long);
        Assert.Empty(await client.WaitForEventsAsync(TimeSpan.FromMilliseconds(1), CancellationToken.None));
        await client.ExecuteAsync("stop", null, CancellationToken.None);
        await client.ExecuteAsync("cont", null, CancellationToken.None);
        Assert.Equal(["STOP", "RESUME"], (await client.WaitForEventsAsync(Long, CancellationToken.None)).Select(e => e.Name));

        // A wait that ended without one has lost nothing of the next answer.
        Assert.Empty(await client.WaitForEventsAsync(TimeSpan.FromMilliseconds(1), CancellationToken.None));
        Assert.Equal("running", (await client.ExecuteAsync("query-status", null, CancellationToken.None)).GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_refused_command_is_another_exception_than_a_dead_socket_and_the_connection_goes_on()
    {
        using QemuProcess qemu = await QemuProcess.StartAsync(Path, QemuProcess.Bare);
        using QmpClient client = await ConnectAsync(Long);
        QmpCommandException refused = await Assert.ThrowsAsync<QmpCommandException>(
            () => client.ExecuteAsync("migrate-continue", new JsonObject { ["state"] = "pre-switchover" }, CancellationToken.None));
        Assert.Equal("GenericError", refused.ErrorClass);
        Assert.Contains(Path, refused.Message, StringComparison.Ordinal);
        QmpCommandException unknown = await Assert.ThrowsAsync<QmpCommandException>(
            () => client.ExecuteAsync("no-such-command", null, CancellationToken.None));
        Assert.Equal("CommandNotFound", unknown.ErrorClass);
        await client.ExecuteAsync("query-status", null, CancellationToken.None);

        qemu.Kill();
        QmpConnectionException dead = await Assert.ThrowsAsync<QmpConnectionException>(
            () => client.ExecuteAsync("query-status", null, CancellationToken.None));
        Assert.Equal(FailureKind.Source, dead.Kind);
        Assert.Contains(Path, dead.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<QmpConnectionException>(() => ConnectAsync(Long));
    }

    [Fact]
    public async Task A_monitor_that_another_client_holds_is_said_to_be_held()
    {
        using QemuProcess qemu = await QemuProcess.StartAsync(Path, QemuProcess.Bare);
        using (await ConnectAsync(Long))
        {
            QmpConnectionException silent = await Assert.ThrowsAsync<QmpConnectionException>(() => ConnectAsync(Soon));
            Assert.Contains("does not greet", silent.Message, StringComparison.Ordinal);
            Assert.Contains("another client", silent.Advice, StringComparison.Ordinal);
        }

        using QmpClient next = await ConnectAsync(Long);
    }

    [Fact]
    public async Task A_QEMU_that_hangs_is_waited_for_no_longer_than_was_said()
    {
        using QemuProcess qemu = await QemuProcess.StartAsync(Path, QemuProcess.Bare);
        using QmpClient client = await ConnectAsync(Soon);
        qemu.Freeze();
        QmpConnectionException silent = await Assert.ThrowsAsync<QmpConnectionException>(
            () => client.ExecuteAsync("query-status", null, CancellationToken.None));
        Assert.Contains("has not answered query-status", silent.Message, StringComparison.Ordinal);
        using CancellationTokenSource stop = new(Soon);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => QmpClient.ConnectAsync(Side.Source, Path, Long, stop.Token));
    }

    [Fact]
    public async Task A_monitor_that_breaks_its_lines_is_understood()
    {
        using QemuProcess qemu = await QemuProcess.StartAsync(
            Path, [.. QemuProcess.Bare, "-qmp-pretty", $"unix:{Path}.pretty,server=on,wait=off"]);
        using QmpClient client = await QmpClient.ConnectAsync(Side.Source, Path + ".pretty", Long, CancellationToken.None);
        Assert.Equal("running", (await client.ExecuteAsync("query-status", null, CancellationToken.None)).GetProperty("status").GetString());
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", "does not speak QMP")]
    [InlineData("{\"event\": \"STOP\"}\r\n", "did not greet")]
    [InlineData("", "closed the connection")]
    public async Task What_is_no_monitor_is_refused_in_words(string greeting, string what)
    {
        QmpConnectionException failure = await ConnectToAsync([System.Text.Encoding.UTF8.GetBytes(greeting)]);
        Assert.Contains(what, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_message_without_end_is_refused_at_its_cap()
    {
        byte[] endless = new byte[QmpDecoder.MaxMessage + 1];
        endless.AsSpan().Fill((byte)'x');
        "{\"QMP\":\""u8.CopyTo(endless);
        QmpConnectionException failure = await ConnectToAsync([endless]);
        Assert.Contains("more than 1048576 bytes", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_message_is_read_wherever_it_was_cut()
    {
        byte[] two = [.. "{\"return\": {\"a\": [1, \"}\"]}, \"id\": 7}\r\n{\"event\": \"STOP\", \"data\": {}}\r\n"u8];
        for (int cut = 0; cut < two.Length; cut++)
        {
            List<QmpMessage> messages = [];
            int start = 0;
            foreach (int end in new[] { cut, two.Length })
            {
                while (QmpDecoder.TryRead(two.AsSpan(start, end - start), out QmpMessage? message, out int consumed))
                {
                    messages.Add(message!);
                    start += consumed;
                }
            }

            Assert.Equal([QmpMessageKind.Return, QmpMessageKind.Event], messages.Select(m => m.Kind));
            Assert.Equal(7, messages[0].Id);
        }
    }

    private Task<QmpClient> ConnectAsync(TimeSpan patience) => QmpClient.ConnectAsync(Side.Source, Path, patience, CancellationToken.None);

    private async Task<QmpConnectionException> ConnectToAsync(IReadOnlyList<byte[]> said)
    {
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(Path));
        listener.Listen();
        Task<QmpClient> client = ConnectAsync(Long);
        using Socket peer = await listener.AcceptAsync();
        Task saying = Task.Run(async () =>
        {
            foreach (byte[] bytes in said)
            {
                await peer.SendAsync(bytes);
            }

            peer.Shutdown(SocketShutdown.Send);
        });
        QmpConnectionException failure = await Assert.ThrowsAsync<QmpConnectionException>(() => client);
        try
        {
            await saying;
        }
        catch (SocketException)
        {
            // The client has gone before it had heard everything.
        }

        return failure;
    }
}
