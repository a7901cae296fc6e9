using DiskSync.Nbd.Client;
using DiskSync.Nbd.Server;
using DiskSync.Nbd.Wire;
using DiskSync.TestSupport;

namespace DiskSync.Nbd.Tests;

/// <summary>The client before our own server.</summary>
public sealed class ClientTests
{
    private const int Length = 3 << 20;

    [Fact]
    public async Task Everything_that_the_server_offers_is_used()
    {
        MemoryExport export = new(Length);
        using NbdLab lab = new(export);
        using (NbdClient client = Connect(lab, 1, "base:allocation", "test:odd"))
        {
            byte[] data = SampleImage.Noise(1, 1 << 20);
            client.Write(100, data, fua: true);
            Assert.Equal(1, export.Flushes);
            client.Zero(200, 100, NbdCommandFlags.NoHole);
            client.Trim(1 << 20, 50);
            await client.CacheAsync(0, Length, CancellationToken.None);
            client.Flush();
            byte[] read = new byte[Length];
            client.Read(0, read);
            Assert.True(read.AsSpan().SequenceEqual(export.Content));
            Assert.Equal(1u, client.Status("test:odd", 4096, 4096)[0].Flags);
            Assert.Equal(NbdError.NotSupported, Assert.Throws<NbdServerException>(
                () => client.Zero(0, 512, NbdCommandFlags.FastZero | NbdCommandFlags.NoHole)).Error);
        }

        Assert.Empty(lab.Failures);
    }

    [Fact]
    public async Task An_answer_that_takes_long_does_not_hold_up_the_others()
    {
        using ManualResetEventSlim gate = new();
        MemoryExport export = new(Length)
        {
            IsCached = false,
            Before = (what, offset) => _ = offset != 0 || what != "read" || gate.Wait(TimeSpan.FromSeconds(20)),
        };
        using NbdLab lab = new(export);
        using NbdClient client = Connect(lab);
        Task slow = client.ReadAsync(0, new byte[512], CancellationToken.None);
        await client.ReadAsync(4096, new byte[512], CancellationToken.None);
        Assert.False(slow.IsCompleted);
        gate.Set();
        await slow;
    }

    [Fact]
    public async Task No_more_is_under_way_than_the_options_allow()
    {
        int under = 0;
        int most = 0;
        MemoryExport export = new(Length)
        {
            IsCached = false,
            Before = (_, _) =>
            {
                int now = Interlocked.Increment(ref under);
                InterlockedMax(ref most, now);
                Thread.Sleep(5);
                Interlocked.Decrement(ref under);
            },
        };
        using NbdLab lab = new(new NbdServerOptions { Workers = 16 }, export);
        using NbdClient client = NbdClient.Connect(
            NbdDialer.For(NbdUri.Parse(lab.Uri)), new NbdClientOptions { InFlightRequests = 5, InFlightBytes = 3 * 4096 });
        await Task.WhenAll(Enumerable.Range(0, 60).Select(i => client.ReadAsync(i * 4096, new byte[4096], CancellationToken.None)));
        Assert.InRange(most, 1, 3);
        await Task.WhenAll(Enumerable.Range(0, 60).Select(i => client.ReadAsync(i * 512, new byte[512], CancellationToken.None)));
        Assert.InRange(most, 1, 5);

        // Longer than all that may be under way: it goes alone.
        await client.ReadAsync(0, new byte[Length], CancellationToken.None);
    }

    [Fact]
    public async Task Who_waits_for_his_turn_can_give_up()
    {
        using ManualResetEventSlim gate = new();
        MemoryExport export = new(Length) { IsCached = false, Before = (_, _) => gate.Wait(TimeSpan.FromSeconds(20)) };
        using NbdLab lab = new(export);
        using NbdClient client = NbdClient.Connect(NbdDialer.For(NbdUri.Parse(lab.Uri)), new NbdClientOptions { InFlightRequests = 1 });
        Task first = client.ReadAsync(0, new byte[512], CancellationToken.None);
        using CancellationTokenSource impatience = new();
        Task second = client.ReadAsync(512, new byte[512], impatience.Token);
        Task third = client.ReadAsync(1024, new byte[512], CancellationToken.None);
        await impatience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        gate.Set();
        await first;
        await third;
    }

    [Fact]
    public async Task Closing_fails_what_is_under_way_and_what_waits()
    {
        using ManualResetEventSlim gate = new();
        MemoryExport export = new(Length) { IsCached = false, Before = (_, _) => gate.Wait(TimeSpan.FromSeconds(20)) };
        using NbdLab lab = new(export);
        NbdClient client = NbdClient.Connect(NbdDialer.For(NbdUri.Parse(lab.Uri)), new NbdClientOptions { InFlightRequests = 1 });
        Task[] tasks = [.. Enumerable.Range(0, 3).Select(i => client.ReadAsync(i * 512, new byte[512], CancellationToken.None))];
        client.Dispose();
        foreach (Task task in tasks)
        {
            Assert.Equal(NbdConnectionFailure.Closed, (await Assert.ThrowsAsync<NbdConnectionException>(() => task)).Failure);
        }

        gate.Set();
    }

    [Fact]
    public void An_export_that_is_not_there_is_refused()
    {
        using NbdLab lab = new(new MemoryExport(512));
        NbdRefusedException refusal = Assert.Throws<NbdRefusedException>(() => NbdClient.Connect(
            NbdDialer.For(NbdUri.Parse(lab.Uri)), new NbdClientOptions { ExportName = "other" }));
        Assert.Equal(NbdOptionReplyType.ErrorUnknown, refusal.Reason);
        Assert.Contains("'other'", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_odd_end_is_read_and_written()
    {
        MemoryExport export = new(10_001) { MinimumBlock = 512 };
        using NbdLab lab = new(export);
        using NbdClient client = Connect(lab);
        byte[] data = SampleImage.Noise(3, 10_001 - 9_728);
        client.Write(9_728, data);
        byte[] read = new byte[data.Length];
        client.Read(9_728, read);
        Assert.Equal(data, read);
        Assert.Throws<ArgumentException>(() => client.Write(9_728, data.AsSpan(0, 100).ToArray()));
    }

    private static void InterlockedMax(ref int most, int now)
    {
        for (int seen = most; seen < now; seen = most)
        {
            Interlocked.CompareExchange(ref most, now, seen);
        }
    }

    private static NbdClient Connect(NbdLab lab, int connections = 1, params string[] kinds) => NbdClient.Connect(
        NbdDialer.For(NbdUri.Parse(lab.Uri)), new NbdClientOptions { Connections = connections, StatusKinds = kinds.Length > 0 ? kinds : [NbdClient.Allocation] });
}
