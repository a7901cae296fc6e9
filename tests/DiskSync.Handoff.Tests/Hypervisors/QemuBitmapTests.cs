using System.Text.Json.Nodes;
using DiskSync.Engine;
using DiskSync.Engine.Dirty;
using DiskSync.Formats.BlockMap;
using DiskSync.Handoff.Hypervisors.Qemu;
using DiskSync.Handoff.Hypervisors.Qemu.Bitmaps;
using DiskSync.TestSupport;

namespace DiskSync.Handoff.Tests.Hypervisors;

/// <summary>The bitmaps of a real QEMU that has a disk open, and writes to it as a guest would.</summary>
public sealed class QemuBitmapTests : IDisposable
{
    private const int Block = 64 << 10;
    private const long Length = 64 * Block;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private static readonly BlockGeometry Geometry = new(Length, Block);
    private readonly TempFolder _folder = new();
    private QemuProcess? _qemu;

    private string Image => _folder.File("a.img");

    private string Address => QmpAddress.Of(_folder.File("q"));

    public void Dispose()
    {
        _qemu?.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task What_was_written_is_told_once_and_what_is_written_after_that_the_next_time()
    {
        await StartAsync();
        using QemuBitmapServer server = await ServerAsync();
        QemuBitmapTracking tracking = await server.TrackAsync(Image, Length, CancellationToken.None);
        Assert.Empty(Take(tracking));
        await WriteAsync(3 * Block + 5, 1000);
        await WriteAsync(10 * Block - 1, 2);
        Assert.Equal(3 * Block, tracking.DirtyBytes());
        Assert.Equal([3, 9, 10], Take(tracking));
        Assert.Equal(0, tracking.DirtyBytes());
        await WriteAsync(Length - 1, 1);
        Assert.Equal([63], Take(tracking));
        Assert.Empty(Take(tracking));
    }

    [Fact]
    public async Task A_bitmap_is_read_while_the_machine_is_paused_for_its_migration_and_that_is_completed()
    {
        await StartAsync();
        using QemuProcess far = await QemuProcess.StartAsync(_folder.File("far"), [.. Disk(_folder.File("far.img")), "-S", "-incoming", $"unix:{_folder.File("memory")}"]);
        QemuHypervisor hypervisor = new(Limit);
        var machine = hypervisor.Machine(Address, new MemoryRoute($"unix:{_folder.File("memory")}", Limit), DiskSync.Engine.Progress.NoProgress.Instance);
        using QemuBitmapServer server = await ServerAsync();
        QemuBitmapTracking tracking = await server.TrackAsync(Image, Length, CancellationToken.None);
        Assert.Empty(Take(tracking));
        await WriteAsync(7 * Block, 512);
        await hypervisor.Destination(QmpAddress.Of(_folder.File("far"))).CheckAsync(CancellationToken.None);
        var paused = await machine.PauseAsync(Context, CancellationToken.None);
        Assert.True(paused.Succeeded, paused.Problem);
        Assert.Equal([7], Take(tracking));
        await machine.CompleteAsync(CancellationToken.None);
        Assert.Equal("postmigrate", await _qemu!.StatusAsync());
        server.Dispose();
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task A_machine_that_runs_has_no_fence_and_what_its_bitmap_says_is_not_taken_for_the_last_word()
    {
        await StartAsync();
        using QemuBitmapServer server = await ServerAsync();
        QemuBitmapTracking tracking = await server.TrackAsync(Image, Length, CancellationToken.None);
        await _qemu!.ExecuteAsync("stop");
        tracking.Fence(Limit);
        tracking.Release();
        await _qemu!.ExecuteAsync("cont");
        Assert.Contains("has not paused", Assert.ThrowsAny<DiskSyncException>(() => tracking.Fence(Limit)).Message, StringComparison.Ordinal);
        Assert.ThrowsAny<DiskSyncException>(() => tracking.DirtyBytes());
    }

    [Fact]
    public async Task Everything_that_was_made_in_QEMU_is_removed_at_the_end()
    {
        await StartAsync();
        using (QemuBitmapServer server = await ServerAsync())
        {
            QemuBitmapTracking tracking = await server.TrackAsync(Image, Length, CancellationToken.None);
            await WriteAsync(0, 1);
            Assert.Equal([0], Take(tracking));
        }

        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task What_a_killed_one_left_is_removed_by_the_next_one_and_by_the_unpause_and_nothing_else_is()
    {
        await StartAsync();
        await _qemu!.ExecuteAsync("block-dirty-bitmap-add", new JsonObject { ["node"] = "disk", ["name"] = "backup" });
        QemuBitmapServer killed = await ServerAsync();
        await killed.TrackAsync(Image, Length, CancellationToken.None);
        await KilledWhileReadingAsync();
        using (QemuBitmapServer next = await ServerAsync())
        {
            Assert.Equal(["backup"], await BitmapsAsync());
            await next.TrackAsync(Image, Length, CancellationToken.None);
        }

        Assert.Equal(["backup"], await BitmapsAsync());
        killed = await ServerAsync();
        await killed.TrackAsync(Image, Length, CancellationToken.None);
        await KilledWhileReadingAsync();
        var result = await new QemuHypervisor(Limit).Source(Address).UnpauseAsync(Context);
        Assert.True(result.Succeeded, result.Problem);
        Assert.Equal(["backup"], await BitmapsAsync());
        Assert.Empty((await _qemu!.ExecuteAsync("query-block-exports")).EnumerateArray());
    }

    [Theory]
    [InlineData("removed")]
    [InlineData("stopped")]
    [InlineData("restarted")]
    [InlineData("gone")]
    [InlineData("unreadable")]
    public async Task A_bitmap_that_cannot_be_believed_is_a_failure_for_good(string how)
    {
        await StartAsync();
        using QemuBitmapServer server = await ServerAsync();
        QemuBitmapTracking tracking = await server.TrackAsync(Image, Length, CancellationToken.None);
        JsonObject bitmap = new() { ["node"] = "file", ["name"] = tracking.Current };
        switch (how)
        {
            case "removed":
                await _qemu!.ExecuteAsync("block-dirty-bitmap-remove", bitmap);
                break;
            case "stopped":
                await _qemu!.ExecuteAsync("block-dirty-bitmap-disable", bitmap);
                break;
            case "restarted":
                _qemu!.Kill();
                await StartAsync();
                break;
            case "gone":
                _qemu!.Kill();
                break;
            case "unreadable":
                await _qemu!.ExecuteAsync("nbd-server-stop");
                break;
        }

        DirtyBitmap dirty = new(Geometry.BlockCount);
        DiskSyncException failure = Assert.ThrowsAny<DiskSyncException>(() => tracking.TakeInto(dirty, Geometry));
        Assert.Contains(_folder.File("q"), failure.Message, StringComparison.Ordinal);
        Assert.ThrowsAny<DiskSyncException>(() => tracking.TakeInto(dirty, Geometry));
        Assert.ThrowsAny<DiskSyncException>(() => tracking.DirtyBytes());
    }

    [Fact]
    public async Task An_image_that_this_QEMU_does_not_have_or_has_twice_is_refused()
    {
        await StartAsync("-blockdev", $"driver=file,filename={_folder.Write("b.img", new byte[Block])},node-name=b1,read-only=on", "-blockdev", $"driver=file,filename={_folder.File("b.img")},node-name=b2,read-only=on");
        using QemuBitmapServer server = await ServerAsync();
        string other = _folder.Write("c.img", new byte[Block]);
        Assert.Contains("does not have it open", (await AssertRefusedAsync(server, other, Block)).Message, StringComparison.Ordinal);
        Assert.Contains("more than once", (await AssertRefusedAsync(server, _folder.File("b.img"), Block)).Message, StringComparison.Ordinal);
        Assert.Contains($"not {Length + 512}", (await AssertRefusedAsync(server, Image, Length + 512)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_NBD_server_of_somebody_elses_is_left_alone()
    {
        await StartAsync();
        string socket = _folder.File("theirs");
        await _qemu!.ExecuteAsync("nbd-server-start", new JsonObject
        {
            ["addr"] = new JsonObject { ["type"] = "unix", ["data"] = new JsonObject { ["path"] = socket } },
        });
        DiskSyncException refused = await Assert.ThrowsAnyAsync<DiskSyncException>(() => ServerAsync());
        Assert.Contains("nbd-server-start", refused.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(socket));
    }

    private static DiskSync.Handoff.Hooks.HookContext Context =>
        new(DiskSync.Handoff.Hooks.GuestAction.Pause, Guid.NewGuid(), 2, ["/images/a.img"], []);

    private static List<long> Take(QemuBitmapTracking tracking)
    {
        DirtyBitmap bitmap = new(Geometry.BlockCount);
        long bytes = tracking.TakeInto(bitmap, Geometry);
        List<long> dirty = [.. Enumerable.Range(0, (int)Geometry.BlockCount).Select(b => (long)b).Where(bitmap.IsDirty)];
        Assert.Equal(dirty.Count * Block, bytes);
        return dirty;
    }

    private static string[] Disk(string image)
    {
        if (!File.Exists(image))
        {
            File.WriteAllBytes(image, new byte[Length]);
        }

        return ["-machine", "pc", "-m", "16", "-blockdev", $"driver=file,filename={image},node-name=file", "-blockdev", "driver=raw,file=file,node-name=disk"];
    }

    private async Task StartAsync(params string[] more) => _qemu = await QemuProcess.StartAsync(_folder.File("q"), [.. Disk(Image), .. more]);

    private Task<QemuBitmapServer> ServerAsync() => QemuBitmapServer.StartAsync(Address, Limit, CancellationToken.None);

    // As a guest's write goes: through the node that its disk has.
    private async Task WriteAsync(long offset, int count)
    {
        JsonObject command = new() { ["command-line"] = $"qemu-io disk \"write {offset} {count}\"" };
        await _qemu!.ExecuteAsync("human-monitor-command", command);
    }

    private async Task KilledWhileReadingAsync() => await _qemu!.ExecuteAsync("block-export-add", new JsonObject
    {
        ["type"] = "nbd",
        ["id"] = "disksync-killed",
        ["node-name"] = "disk",
        ["name"] = "disksync-killed",
    });

    private async Task<IReadOnlyList<string>> BitmapsAsync()
    {
        using QmpClient client = await QmpClient.ConnectAsync(Side.Source, _folder.File("q"), Limit, CancellationToken.None);
        return [.. (await new QemuBlocks(client).NodesAsync(CancellationToken.None)).SelectMany(n => n.Bitmaps).Select(b => b.Name).Order(StringComparer.Ordinal)];
    }

    private async Task AssertNothingLeftAsync()
    {
        Assert.Empty(await BitmapsAsync());
        Assert.Empty((await _qemu!.ExecuteAsync("query-block-exports")).EnumerateArray());
        Assert.False(File.Exists(_folder.File("q.disksync")));

        // There is no server any more: another one can be started.
        await _qemu!.ExecuteAsync("nbd-server-start", new JsonObject
        {
            ["addr"] = new JsonObject { ["type"] = "unix", ["data"] = new JsonObject { ["path"] = _folder.File("theirs") } },
        });
    }

    private static async Task<DiskSyncException> AssertRefusedAsync(QemuBitmapServer server, string image, long length) =>
        await Assert.ThrowsAsync<DiskSyncException>(() => server.TrackAsync(image, length, CancellationToken.None));
}
