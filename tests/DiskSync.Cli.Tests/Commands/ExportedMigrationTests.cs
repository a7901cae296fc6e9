using System.Diagnostics;
using System.Text.Json;
using DiskSync.Engine;
using DiskSync.TestSupport;

namespace DiskSync.Cli.Tests.Commands;

/// <summary>Migrations of an image that a real <c>disksync export --track</c> serves, while real clients write through it.</summary>
public sealed class ExportedMigrationTests : IDisposable
{
    private const int Length = 64 << 20;
    private readonly TempFolder _folder = new();
    private readonly string _image;

    public ExportedMigrationTests()
    {
        Directory.CreateDirectory(_folder.File("far"));
        _image = _folder.Write("vm.img", SampleImage.Noise(3, Length));
    }

    private string SocketPath => _folder.File("s");

    private string Uri => $"nbd+unix:///?socket={SocketPath}";

    private string Moved => _folder.File("far/vm.img");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_machine_that_writes_all_the_time_moves_with_one_scan_and_loses_nothing()
    {
        using DisksyncProcess export = await StartAsync();
        using Process writer = StartWriter();
        DisksyncResult migrate = await MigrateAsync($"kill -STOP {writer.Id}", "true", "--verify-full", "--json");
        Assert.True(migrate.ExitCode == 0, migrate.ToString());
        JsonElement[] rounds = [.. migrate.Json.GetProperty("rounds").EnumerateArray()];
        Assert.Equal("hash scan", rounds[0].GetProperty("dirtySource").GetString());
        Assert.All(rounds[1..], r => Assert.Equal("write tracking of the export", r.GetProperty("dirtySource").GetString()));
        Assert.True(rounds[1..].Sum(r => r.GetProperty("changedBytes").GetInt64()) > 0, migrate.Output);
        Assert.True(rounds[^1].GetProperty("bytesRead").GetInt64() < Length / 2, migrate.Output);
        Assert.StartsWith("write tracking of the export and ", migrate.Json.GetProperty("sourceBases")[0].GetString(), StringComparison.Ordinal);
        Tool.Run("diffutils", "cmp", _image + ".ceded-2", Moved);

        // Whatever still runs here writes nothing any more, and is told.
        Tool.Run("util-linux", "sh", "-c", $"kill -CONT {writer.Id}");
        Assert.NotEqual(0, Tool.TryRun("qemu-utils", "qemu-io", "-f", "raw", "-c", "write -P 7 0 4096", Uri).Code);
        await writer.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.NotEqual(0, writer.ExitCode);
        Tool.Run("diffutils", "cmp", _image + ".ceded-2", Moved);
        export.Signal(15);
        DisksyncResult ended = await export.WaitAsync();
        Assert.Equal(0, ended.ExitCode);
        Assert.Contains("was handed over to", ended.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_migrate_that_is_killed_in_the_pause_leaves_the_machine_writing_and_the_next_one_moves_it()
    {
        using DisksyncProcess export = await StartAsync();
        DisksyncResult killed = await MigrateAsync("kill -9 $PPID", "true");
        Assert.NotEqual(0, killed.ExitCode);
        Tool.Run("qemu-utils", "qemu-io", "-f", "raw", "-c", "write -P 0x11 8192 4096", Uri);
        DisksyncResult again = await MigrateAsync("true", "true");
        Assert.True(again.ExitCode == 0, again.ToString());
        Tool.Run("diffutils", "cmp", _image + ".ceded-3", Moved);
        Assert.Equal(0x11, (await File.ReadAllBytesAsync(Moved))[8192]);
    }

    [Fact]
    public async Task A_migrate_that_is_killed_when_the_destination_owns_leaves_nothing_that_can_be_written_here()
    {
        using DisksyncProcess export = await StartAsync();
        string once = _folder.File("once");
        DisksyncResult killed = await MigrateAsync("true", $"test -e {once} || {{ touch {once}; kill -9 $PPID; }}");
        Assert.NotEqual(0, killed.ExitCode);
        Assert.NotEqual(0, Tool.TryRun("qemu-utils", "qemu-io", "-f", "raw", "-c", "write -P 0x11 8192 4096", Uri).Code);
        DisksyncResult owner = await DisksyncProcess.RunAsync("owner", Moved, "--state", _folder.File("state"));
        Assert.True(owner.ExitCode == 0, owner.ToString());
        Tool.Run("diffutils", "cmp", _image + ".ceded-2", Moved);
    }

    [Fact]
    public async Task An_export_that_is_killed_in_the_pause_ends_the_attempt_and_a_scan_takes_over()
    {
        using DisksyncProcess export = await StartAsync();
        DisksyncResult failed = await MigrateAsync($"kill -9 {export.Process.Id}", "true");
        Assert.Equal((int)FailureKind.Source, failed.ExitCode);
        Assert.Contains("export does not answer", failed.Error, StringComparison.Ordinal);
        Assert.True(File.Exists(_image));
        Assert.False(File.Exists(Moved));
        DisksyncResult again = await MigrateAsync("true", "true", "--json");
        Assert.True(again.ExitCode == 0, again.ToString());
        Assert.All(again.Json.GetProperty("rounds").EnumerateArray(), r => Assert.Equal("hash scan", r.GetProperty("dirtySource").GetString()));
        Tool.Run("diffutils", "cmp", _image + ".ceded-3", Moved);
    }

    [Fact]
    public async Task A_machine_that_writes_faster_than_the_link_moves_when_it_may_be_slowed_and_not_before()
    {
        await using (FileStream empty = File.Create(_image))
        {
            empty.SetLength(Length);
        }

        using DisksyncProcess export = await StartAsync();
        using Process writer = StartWriter("--rate=40m", "--bs=64k", "--size=24m", "--refill_buffers");
        string[] link = ["--limit", "10M", "--max-downtime", "1.5"];
        DisksyncResult refused = await MigrateAsync($"kill -STOP {writer.Id}", "true", link);
        Assert.Equal((int)FailureKind.NotConverged, refused.ExitCode);
        DisksyncResult moved = await MigrateAsync($"kill -STOP {writer.Id}", "true", [.. link, "--max-slowdown", "100"]);
        Assert.True(moved.ExitCode == 0, moved.ToString());
        Assert.Contains("slowing its writes", moved.Error, StringComparison.Ordinal);
        Tool.Run("diffutils", "cmp", _image + ".ceded-2", Moved);
        Tool.Run("util-linux", "sh", "-c", $"kill -CONT {writer.Id}; kill {writer.Id}");
        await writer.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task Two_migrations_of_one_image_at_once_are_one()
    {
        using DisksyncProcess export = await StartAsync();
        Task<DisksyncResult> first = MigrateAsync("sleep 4", "true");
        await Task.Delay(1500);
        DisksyncResult second = await DisksyncProcess.RunAsync(
            "migrate", _image, _folder.File("other.img"), "--state", _folder.File("state"), "--pause", "true", "--unpause", "true");
        DisksyncResult[] both = [await first, second];
        Assert.True(both.Count(r => r.ExitCode == 0) == 1, $"{both[0]}\n{both[1]}");
        Assert.Single([Moved, _folder.File("other.img")], File.Exists);
    }

    [Fact]
    public async Task What_was_written_is_told_as_block_status()
    {
        using DisksyncProcess export = await StartAsync();
        Tool.Run("qemu-utils", "qemu-io", "-f", "raw", "-c", "write 1M 8k", Uri);
        JsonElement[] extents = [.. JsonDocument.Parse(
            Tool.Run("libnbd-bin", "nbdinfo", "--map=disksync:dirty", "--json", Uri)).RootElement.EnumerateArray()];
        JsonElement dirty = Assert.Single(extents, e => e.GetProperty("type").GetInt32() == 1);
        Assert.Equal(1 << 20, dirty.GetProperty("offset").GetInt64());
        Assert.Equal(8192, dirty.GetProperty("length").GetInt64());
    }

    private Task<DisksyncResult> MigrateAsync(string pause, string resume, params string[] options) => DisksyncProcess.RunAsync(
        [
            "migrate", _image, Moved, "--state", _folder.File("state"), "--pause", pause, "--unpause", "true", "--resume", resume,
            .. options.Contains("--max-downtime") ? Array.Empty<string>() : ["--max-downtime", "60"], .. options,
        ]);

    private async Task<DisksyncProcess> StartAsync()
    {
        DisksyncProcess process = DisksyncProcess.Start(
            ["export", _image, "--track", "--listen", $"unix:{SocketPath}", "--state", _folder.File("state")]);
        long start = Environment.TickCount64;
        while (!File.Exists(SocketPath))
        {
            Assert.False(process.Process.HasExited, "export has ended");
            Assert.True(Environment.TickCount64 - start < 60_000);
            await Task.Delay(50);
        }

        return process;
    }

    private Process StartWriter(params string[] options) => Tool.Start(
        "fio",
        "fio",
        [
        "--name=w",
        "--ioengine=nbd",
        $"--uri={Uri}",
        "--rw=randwrite",
        "--bs=4k",
        "--iodepth=8",
        "--size=8m",
        "--rate=2m",
        "--time_based",
        "--runtime=600",
        "--thread",
        $"--output={_folder.File("fio")}",
        .. options]);
}
