using DiskSync.TestSupport;

namespace DiskSync.Interop.Tests;

/// <summary><c>disksync migrate --qemu</c> between two real QEMUs, killed where it hurts.</summary>
public sealed class QemuMigrateTests : IAsyncLifetime, IDisposable
{
    private readonly HandOverLab _lab = new();
    private QemuProcess _near = null!;
    private QemuProcess _far = null!;
    private string _image = null!;

    private string MemoryUri => $"unix:{_lab.Folder.File("memory")}";

    private string Destination => $"unix:{_lab.Socket}:vm.img";

    private static IReadOnlyList<string> Machine { get; } = ["-machine", "pc", "-m", "16"];

    private string[] Options => ["--qemu", _near.Socket, "--memory-uri", MemoryUri, "--resume", "start"];

    public async Task InitializeAsync()
    {
        _image = _lab.Image("vm.img");
        _near = await QemuProcess.StartAsync(_lab.Folder.File("near.qmp"), Machine);
        await StartFarAsync();
        await _lab.StartReceiverAsync($"qmp:{_far.Socket}");
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose()
    {
        _lab.Dispose();
        _near?.Dispose();
        _far?.Dispose();
    }

    [Fact]
    public async Task A_machine_moves_with_its_memory()
    {
        DisksyncResult migrate = await _lab.MigrateAsync([_image], Options);
        Assert.True(migrate.ExitCode == 0, migrate.ToString());
        Assert.True(migrate.Json.GetProperty("memorySeconds").GetDouble() > 0);
        Assert.Contains("the machine is paused", migrate.Error, StringComparison.Ordinal);
        _lab.AssertMoved(_image);
        await AssertRunAsync("postmigrate", "running");
    }

    [Fact]
    public async Task The_writes_to_a_disk_that_QEMU_has_open_are_told_by_its_bitmap_and_nothing_of_it_is_left()
    {
        _near.Dispose();
        _near = await QemuProcess.StartAsync(_lab.Folder.File("near.qmp"), [.. Machine, "-blockdev", $"driver=file,filename={_image},node-name=disk"]);

        // (A guest that writes meanwhile is what tools/guestlab has. The monitor's own writes would stop QEMU's main loop.)
        DisksyncResult ended = await _lab.MigrateAsync([_image], Options);
        Assert.True(ended.ExitCode == 0, ended.ToString());
        Assert.Contains("QEMU's dirty bitmap", ended.Json.GetProperty("sourceBases")[0].GetString(), StringComparison.Ordinal);
        await AssertRunAsync("postmigrate", "running");
        _lab.AssertMoved(_image);
        Assert.DoesNotContain("dirty-bitmaps", (await _near.ExecuteAsync("query-named-block-nodes")).GetRawText(), StringComparison.Ordinal);
        Assert.Empty((await _near.ExecuteAsync("query-block-exports")).EnumerateArray());
    }

    [Fact]
    public async Task A_migrate_that_was_killed_while_memory_was_copied_is_called_off_and_moves_the_next_time()
    {
        await _near.ThrottleMemoryAsync();
        await KillAsync(async () => (await _near.ExecuteAsync("query-migrate")).TryGetProperty("ram", out _));
        DisksyncResult owner = await _lab.OwnerHereAsync(_image);
        Assert.True(owner.ExitCode == 0, owner.ToString());
        await AssertRunAsync("running", null);
        _lab.AssertStillHere(_image);
        await MoveAgainAsync();
    }

    [Fact]
    public async Task A_migrate_that_was_killed_when_QEMU_had_paused_the_machine_is_called_off_and_moves_the_next_time()
    {
        await KillAsync(async () => await _near.StatusAsync() != "running", "--limit", "1M");
        Assert.NotEqual("running", await _near.StatusAsync());
        DisksyncResult owner = await _lab.OwnerHereAsync(_image);
        Assert.True(owner.ExitCode == 0, owner.ToString());
        await AssertRunAsync("running", null);
        _lab.AssertStillHere(_image);
        await MoveAgainAsync();
    }

    [Fact]
    public async Task A_migrate_that_was_killed_when_it_had_ceded_is_completed_and_only_then_the_machine_runs()
    {
        await CedeAndKillAsync();
        await AssertRunAsync("postmigrate", "paused");
        DisksyncResult owner = await _lab.OwnerHereAsync(_image, "--destination", Destination);
        Assert.True(owner.ExitCode == 0, owner.ToString());
        await AssertRunAsync("postmigrate", "running");
        _lab.AssertMoved(_image);
    }

    [Fact]
    public async Task A_receiver_that_was_killed_as_the_owner_lets_the_machine_run_when_it_starts_again()
    {
        await CedeAndKillAsync();

        // A QEMU that does not answer holds the receiver between OWNER and the resume.
        _far.Freeze();
        using DisksyncProcess owner = DisksyncProcess.Start(["owner", _image, "--state", _lab.NearState, "--destination", Destination]);
        await Eventually.FileAsync(_lab.Moved("vm.img") + ".seal", owner);
        await _lab.KillReceiverAsync();
        _far.Thaw();
        await _lab.StartReceiverAsync($"qmp:{_far.Socket}");
        await owner.WaitAsync();
        DisksyncResult again = await _lab.OwnerHereAsync(_image, "--destination", Destination);
        Assert.True(again.ExitCode == 0, again.ToString());
        await AssertRunAsync("postmigrate", "running");
        _lab.AssertMoved(_image);
    }

    [Fact]
    public async Task A_machine_whose_QEMU_dies_at_the_destination_as_the_owner_is_handed_back_with_its_memory()
    {
        await CedeAndKillAsync();
        _far.Kill();
        DisksyncResult owner = await _lab.OwnerHereAsync(_image, "--destination", Destination);
        Assert.Contains("could not be resumed", owner.ToString(), StringComparison.Ordinal);
        await AssertRunAsync("postmigrate", "gone");
        DisksyncResult back = await _lab.OwnerThereAsync("vm.img", "--return");
        Assert.True(back.ExitCode == 0, back.ToString());
        owner = await _lab.OwnerHereAsync(_image, "--destination", Destination);
        Assert.True(owner.ExitCode == 0, owner.ToString());
        await AssertRunAsync("running", "gone");
        Assert.True(File.Exists(_image));
    }

    [Fact]
    public async Task Options_that_do_not_belong_together_are_refused()
    {
        foreach (string[] options in new string[][]
            { ["--qemu", _near.Socket, "--pause", "true"], ["--memory-uri", MemoryUri], ["--qemu", _near.Socket, "--memory-uri", MemoryUri] })
        {
            DisksyncResult refused = await _lab.MigrateAsync([_image], options);
            Assert.Equal(2, refused.ExitCode);
        }

        await AssertRunAsync("running", "inmigrate");
    }

    private async Task StartFarAsync() =>
        _far = await QemuProcess.StartAsync(_lab.Folder.File("far.qmp"), [.. Machine, "-S", "-incoming", MemoryUri]);

    private async Task CedeAndKillAsync()
    {
        await using CommitlessRelay relay = new(_lab.Folder.File("relay.sock"), _lab.Socket);
        using DisksyncProcess migrate = _lab.StartMigrate([_image], ["--socket", _lab.Folder.File("relay.sock"), .. Options]);
        await Eventually.TrueAsync(() => relay.Swallowed.IsCompleted, "the source has ceded", migrate);
        await relay.Swallowed;
        migrate.Signal(9);
        await migrate.WaitAsync();
    }

    private async Task KillAsync(Func<Task<bool>> moment, params string[] more)
    {
        using DisksyncProcess migrate = _lab.StartMigrate([_image], [.. Options, .. more]);
        while (!await moment())
        {
            Assert.False(migrate.Process.HasExited, (migrate.Process.HasExited ? await migrate.WaitAsync() : null)?.ToString());
            await Task.Delay(5);
        }

        migrate.Signal(9);
        await migrate.WaitAsync();
    }

    /// <summary>The next attempt: with a QEMU at the destination that is started anew, as the operator is told.</summary>
    private async Task MoveAgainAsync()
    {
        await _near.ExecuteAsync("migrate-set-parameters", new System.Text.Json.Nodes.JsonObject { ["max-bandwidth"] = 1 << 30 });
        _far.Dispose();
        await StartFarAsync();
        DisksyncResult migrate = await _lab.MigrateAsync([_image], Options);
        Assert.True(migrate.ExitCode == 0, migrate.ToString());
        await AssertRunAsync("postmigrate", "running");
        _lab.AssertMoved(_image);
    }

    private async Task AssertRunAsync(string near, string? far)
    {
        Assert.Equal(near, await _near.StatusAsync());
        string there = await _far.StatusAsync();
        Assert.True(far is null ? there != "running" : there == far, $"the machine there is '{there}'");
    }
}
