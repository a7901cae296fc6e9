using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Exports;
using DiskSync.Engine.Tail;
using DiskSync.Engine.Transports;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Peers;
using DiskSync.Formats.Presence;
using DiskSync.Formats.Tail;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Handoff.Ownership;
using DiskSync.TestSupport;

namespace DiskSync.Interop.Tests;

/// <summary>An image that was handed over with parts missing, under a guest that reads and writes, while the real receiver and the real export are killed and the link is cut.</summary>
public sealed class TailKillTests : IDisposable
{
    private const int Length = 24 << 20;
    private const ulong Epoch = 2;
    private readonly TempFolder _folder = new();
    private readonly Guid _attempt = Guid.NewGuid();
    private readonly byte[] _content = SampleImage.Noise(11, Length);
    private readonly int _port = FreePort.Take();
    private readonly UnsteadyLink _link;
    private readonly OwnershipJournal _journal;
    private DisksyncProcess? _receiver;
    private DisksyncProcess? _export;

    public TailKillTests()
    {
        Directory.CreateDirectory(Root);
        _journal = new OwnershipJournal(State);
        _link = new UnsteadyLink(() => _port);
    }

    private string Root => _folder.File("far");

    private string State => _folder.File("state");

    private string Image => Path.Join(Root, "vm.img");

    private string SocketPath => _folder.File("s");

    public void Dispose()
    {
        _link.Dispose();
        _receiver?.Dispose();
        _export?.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Whoever_is_killed_and_whatever_becomes_of_the_link_nothing_answered_is_lost_and_nothing_read_is_wrong(int seed)
    {
        HandOver();
        StartReceiver();
        StartExport();
        _link.Rate = 6 << 20;
        using TailGuest guest = new(_content, SocketPath, seed);
        using CancellationTokenSource stop = new();
        Task<AttemptStatus>? source = null;
        CancellationTokenSource serving = Serve(out source);
        Task runs = Task.Factory.StartNew(() => guest.Run(stop.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Random random = new(seed);
        for (int i = 0; i < 12 && !runs.IsCompleted; i++)
        {
            await Task.Delay(random.Next(50, 700));
            switch (i % 4)
            {
                case 0:
                    _export!.Signal(9);
                    await _export.WaitAsync();
                    await Task.Delay(random.Next(200));
                    StartExport();
                    break;
                case 1:
                    _link.Stall();
                    await Task.Delay(random.Next(300));
                    _link.Cut();
                    await Task.Delay(random.Next(300));
                    _link.Mend();
                    break;
                case 2:
                    _receiver!.Signal(9);
                    await _receiver.WaitAsync();
                    await Task.Delay(random.Next(200));
                    StartReceiver();
                    break;
                default:
                    await serving.CancelAsync();
                    await Task.WhenAny(source!);
                    serving.Dispose();
                    await Task.Delay(random.Next(200));
                    serving = Serve(out source);
                    break;
            }
        }

        _link.Rate = 0;
        Task first = await Task.WhenAny(source!, runs).WaitAsync(DisksyncProcess.DefaultTimeout);
        await first;
        Assert.Equal(AttemptState.Running, (await source!).State);
        await stop.CancelAsync();
        await runs.WaitAsync(DisksyncProcess.DefaultTimeout);
        Assert.True(guest.Answered > 50, $"{guest.Answered} requests were answered, {guest.Lost} times the export had gone");
        Assert.Equal(AttemptState.Running, _journal.Read().Last(Image)!.Kind);
        Assert.Equal([Image, Image + ".seal"], Directory.GetFiles(Root).Where(f => !f.EndsWith(".lock", StringComparison.Ordinal)).Order(StringComparer.Ordinal));

        // It is an export like any other now, and an image like any other when that has ended.
        _export!.Signal(15);
        DisksyncResult ended = await _export.WaitAsync();
        Assert.True(ended.ExitCode == 0, ended.ToString());
        guest.Check(await File.ReadAllBytesAsync(Image));
        serving.Dispose();
    }

    [Fact]
    public async Task What_waits_can_be_told_to_fail_while_the_export_runs()
    {
        HandOver();
        StartExport();
        await Eventually.TrueAsync(() => File.Exists(SocketPath), "the export listens", _export);
        string uri = $"nbd+unix:///?socket={SocketPath}";
        Task<(int Code, string Output, string Error)> waits = Task.Run(() => Run($"read {8 << 20} 4096"));
        Assert.Equal(0, (await Task.Run(() => Run("read 0 4096"))).Code);
        Assert.Equal(0, (await Task.Run(() => Run($"write -P 9 {20 << 20} 65536"))).Code);
        Assert.False(waits.IsCompleted);
        DisksyncResult asked = await DisksyncProcess.RunAsync("tail", Image, "--state", State, "--json");
        Assert.True(asked.ExitCode == 0, asked.ToString());
        Assert.False(asked.Json.GetProperty("linked").GetBoolean());
        Assert.Equal(65536, asked.Json.GetProperty("written").GetInt64());
        Assert.Equal(Length - (1 << 20) - 65536, asked.Json.GetProperty("missing").GetInt64());
        DisksyncResult told = await DisksyncProcess.RunAsync("tail", Image, "--state", State, "--fail-missing", "--json");
        Assert.True(told.ExitCode == 0 && told.Json.GetProperty("failMissing").GetBoolean(), told.ToString());
        Assert.NotEqual(0, (await waits.WaitAsync(DisksyncProcess.DefaultTimeout)).Code);
        Assert.NotEqual(0, (await Task.Run(() => Run($"read {8 << 20} 4096"))).Code);
        Assert.Equal(0, (await Task.Run(() => Run("read 0 4096"))).Code);
        Assert.Equal(0, (await DisksyncProcess.RunAsync("tail", Image, "--state", State, "--wait")).ExitCode);
        waits = Task.Run(() => Run($"read {8 << 20} 4096"));
        StartReceiver();
        using CancellationTokenSource serving = Serve(out Task<AttemptStatus> source);
        Assert.Equal(0, (await waits.WaitAsync(DisksyncProcess.DefaultTimeout)).Code);
        await source.WaitAsync(DisksyncProcess.DefaultTimeout);

        (int Code, string Output, string Error) Run(string command) => Tool.TryRun("qemu-utils", "qemu-io", "-f", "raw", "-c", command, uri);
    }

    /// <summary>What a hand-over with a tail leaves: at the destination the first mebibyte, everything else at the source.</summary>
    private void HandOver()
    {
        byte[] here = new byte[Length];
        _content.AsSpan(0, 1 << 20).CopyTo(here);
        File.WriteAllBytes($"{Image}.incomplete-{Epoch}", here);
        PresenceAppender appender = PresenceAppender.Create(
            new PresenceHeader(Length, Guid.NewGuid(), _attempt, Epoch, Hash256.Unknown, 0), out byte[] start);
        using (FileStream map = File.Create(Image + ".presence"))
        {
            map.Write(start);
            foreach (PresenceWrite write in new[] { appender.Append([new PresenceRange(0, 256)]), appender.Slot() })
            {
                map.Position = write.Offset;
                map.Write(write.Bytes.Span);
            }
        }

        File.WriteAllBytes(Image + ".tail", TailSealCodec.Encode(new TailSealRecord(
            "vm.img", Epoch, new BlockGeometry(Length, 64 << 10), Hash256.Unknown, _attempt, 0, "source", "frozen")));
        foreach (AttemptState kind in new[] { AttemptState.PreparedTail, AttemptState.OwnerIncomplete, AttemptState.RunningIncomplete })
        {
            _journal.Append(_ => [new OwnershipEntry(Image, _attempt, Epoch, kind, Hash256.Unknown, DateTimeOffset.UtcNow, "source", string.Empty, [Image])]);
        }

        _folder.Write("frozen", _content);
    }

    private void StartReceiver() => _receiver = DisksyncProcess.Start(
        ["receive", "--listen", $"tcp:127.0.0.1:{_port}", "--insecure", "--root", Root, "--state", State]);

    private void StartExport() => _export = DisksyncProcess.Start(
        ["export", Image, "--incoming", "--state", State, "--listen", $"unix:{SocketPath}"]);

    private CancellationTokenSource Serve(out Task<AttemptStatus> ends)
    {
        CancellationTokenSource serving = new();
        ends = ServeAsync(serving.Token);
        return serving;
    }

    private async Task<AttemptStatus> ServeAsync(CancellationToken stop)
    {
        using IBlockDevice frozen = BlockDevices.OpenSource(_folder.File("frozen"));
        using BlockDeviceExport export = new(frozen, "frozen", isReadOnly: true);
        PeerName receiver = PeerName.Of("127.0.0.1", _link.Port)!;
        TailServerOptions options = new() { FirstPause = TimeSpan.FromMilliseconds(50), LongestPause = TimeSpan.FromMilliseconds(500) };
        return await new TailServer(token => TcpTransport.ConnectAsync(receiver, null, token), export, options, _ => { })
            .RunAsync(_attempt, Epoch, 0, stop);
    }
}
