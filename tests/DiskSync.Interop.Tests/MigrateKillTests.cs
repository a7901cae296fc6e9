using DiskSync.TestSupport;

namespace DiskSync.Interop.Tests;

/// <summary>A migrate or its receiver killed with the machine paused: the same migrate, <c>owner</c> or the receiver's next start resolves it.</summary>
public sealed class MigrateKillTests : IAsyncLifetime, IDisposable
{
    private readonly HandOverLab _lab = new();

    public Task InitializeAsync() => _lab.StartReceiverAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _lab.Dispose();

    [Fact]
    public async Task A_migrate_killed_while_its_pause_command_runs_is_called_off_by_owner_which_unpauses_only_after_that_command()
    {
        string image = _lab.Image("vm.img");
        string pausing = _lab.Folder.File("pausing");
        string go = _lab.Folder.File("go");
        string paused = _lab.Folder.File("paused");
        using (DisksyncProcess migrate = _lab.StartMigrate(
            [image],
            "--pause", $"touch {pausing}; while [ ! -e {go} ]; do sleep 0.05; done; touch {paused}",
            "--unpause", $"[ -e {paused} ] && {_lab.Unpause}",
            "--resume", "start"))
        {
            await Eventually.FileAsync(pausing, migrate);
            migrate.Signal(9);
            await migrate.WaitAsync();
        }

        DisksyncResult report = await _lab.OwnerHereAsync(image, "--report");
        Assert.Equal("Paused", report.Json.GetProperty("verdict").GetString());
        Assert.False(File.Exists(_lab.Unpaused), report.ToString());

        Task<DisksyncResult> resolving = _lab.OwnerHereAsync(image);
        await Task.Delay(500);
        Assert.False(resolving.IsCompleted);
        await File.WriteAllBytesAsync(go, []);
        DisksyncResult resolved = await resolving;
        Assert.True(resolved.ExitCode == 0, resolved.ToString());
        Assert.True(resolved.Json.GetProperty("mayRunHere").GetBoolean());
        Assert.True(File.Exists(_lab.Unpaused), resolved.ToString());
        _lab.AssertStillHere(image);
    }

    [Fact]
    public async Task A_migrate_killed_in_its_final_delta_is_called_off_and_completed_by_the_same_migrate()
    {
        string image = _lab.Image("vm.img");
        string paused = _lab.Folder.File("paused");

        // What the machine writes last takes the slow link some seconds; it is killed in the middle of them.
        string[] hooks =
        [
            "--pause", $"[ -e {paused} ] || dd if=/dev/urandom of={image} bs=1M count=8 conv=notrunc && touch {paused}",
            "--unpause", _lab.Unpause, "--resume", "start",
        ];
        using (DisksyncProcess migrate = _lab.StartMigrate([image], [.. hooks, "--compress", "never", "--limit", "4M"]))
        {
            await Eventually.FileAsync(paused, migrate);
            await Task.Delay(200);
            Assert.False(migrate.Process.HasExited);
            migrate.Signal(9);
            await migrate.WaitAsync();
        }

        Assert.False(File.Exists(_lab.Unpaused));
        DisksyncResult again = await _lab.MigrateAsync([image], hooks);
        Assert.True(again.ExitCode == 0, again.ToString());
        Assert.Contains("an earlier attempt was cut off", again.Error, StringComparison.Ordinal);
        Assert.True(File.Exists(_lab.Unpaused), again.ToString());
        Assert.Equal(3, again.Json.GetProperty("epoch").GetInt32());
        _lab.AssertMoved(image);
        Assert.True(File.Exists(_lab.Resumed), again.ToString());
    }

    [Fact]
    public async Task Ctrl_C_before_the_pause_says_that_nothing_was_paused_and_how_to_go_on()
    {
        string image = _lab.Image("vm.img");
        string paused = _lab.Folder.File("paused");
        string[] hooks = ["--pause", $"touch {paused}", "--unpause", _lab.Unpause, "--resume", "start"];
        using (DisksyncProcess migrate = _lab.StartMigrate([image], [.. hooks, "--compress", "never", "--limit", "1M"]))
        {
            await Eventually.FileAsync(_lab.Moved("vm.img.partial"), migrate);
            migrate.Signal(2);
            DisksyncResult stopped = await migrate.WaitAsync();
            Assert.True(stopped.ExitCode == 9, stopped.ToString());
            Assert.Contains("the guest was not paused", stopped.JsonError.GetProperty("message").GetString(), StringComparison.Ordinal);
            Assert.Contains("same command again", stopped.JsonError.GetProperty("advice").GetString(), StringComparison.Ordinal);
        }

        Assert.False(File.Exists(paused));
        Assert.False(File.Exists(_lab.Unpaused));
        _lab.AssertStillHere(image);
        DisksyncResult again = await _lab.MigrateAsync([image], hooks);
        Assert.True(again.ExitCode == 0, again.ToString());
        _lab.AssertMoved(image);
    }

    [Fact]
    public async Task Ctrl_C_while_the_machine_is_paused_unpauses_it_ends_with_code_9_and_the_same_migrate_goes_on()
    {
        string image = _lab.Image("vm.img");
        string paused = _lab.Folder.File("paused");
        string[] hooks =
        [
            "--pause", $"[ -e {paused} ] || dd if=/dev/urandom of={image} bs=1M count=8 conv=notrunc && touch {paused}",
            "--unpause", _lab.Unpause, "--resume", "start",
        ];
        using (DisksyncProcess migrate = _lab.StartMigrate([image], [.. hooks, "--compress", "never", "--limit", "4M"]))
        {
            await Eventually.FileAsync(paused, migrate);
            migrate.Signal(2);
            DisksyncResult stopped = await migrate.WaitAsync();
            Assert.True(stopped.ExitCode == 9, stopped.ToString());
            Assert.Contains("same command again", stopped.JsonError.GetProperty("advice").GetString(), StringComparison.Ordinal);
        }

        Assert.True(File.Exists(_lab.Unpaused));
        _lab.AssertStillHere(image);
        DisksyncResult again = await _lab.MigrateAsync([image], hooks);
        Assert.True(again.ExitCode == 0, again.ToString());
        _lab.AssertMoved(image);
    }

    [Fact]
    public async Task Ctrl_C_while_the_destination_resumes_is_no_success_and_the_destination_goes_on()
    {
        string image = _lab.Image("vm.img");
        string resuming = _lab.Folder.File("resuming");
        string go = _lab.Folder.File("go");
        await _lab.KillReceiverAsync();
        await _lab.StartReceiverAsync($"touch {resuming}; while [ ! -e {go} ]; do sleep 0.05; done; {HandOverLab.Note(_lab.Resumed)}");
        using DisksyncProcess migrate = _lab.StartMigrate([image], "--pause", "true", "--unpause", _lab.Unpause, "--resume", "start");
        await Eventually.FileAsync(resuming, migrate);
        migrate.Signal(2);
        DisksyncResult stopped = await migrate.WaitAsync();
        Assert.True(stopped.ExitCode == 9, stopped.ToString());
        Assert.Contains("whether its guest runs is not known", stopped.JsonError.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.False(File.Exists(_lab.Unpaused));

        await File.WriteAllBytesAsync(go, []);
        await Eventually.FileAsync(_lab.Resumed);
        _lab.AssertMoved(image);
        DisksyncResult here = await _lab.OwnerHereAsync(image);
        Assert.True(here.ExitCode == 0, here.ToString());
        Assert.False(here.Json.GetProperty("mayRunHere").GetBoolean());
    }

    [Fact]
    public async Task A_migrate_killed_after_it_ceded_is_completed_by_the_same_migrate()
    {
        string image = _lab.Image("vm.img");
        await _lab.CedeAndKillAsync(image);
        Assert.False(File.Exists(image));
        Assert.False(File.Exists(_lab.Resumed));

        DisksyncResult again = await _lab.MigrateAsync([image], "--unpause", _lab.Unpause, "--resume", "start");
        Assert.True(again.ExitCode == 0, again.ToString());
        Assert.True(again.Json.GetProperty("completedEarlierAttempt").GetBoolean());
        Assert.Equal(2, again.Json.GetProperty("epoch").GetInt32());
        _lab.AssertMoved(image);
        Assert.True(File.Exists(_lab.Resumed), again.ToString());
        Assert.False(File.Exists(_lab.Unpaused));
    }

    [Fact]
    public async Task A_receiver_killed_while_it_resumes_finishes_when_it_starts_again_and_the_source_stays_paused()
    {
        string image = _lab.Image("vm.img");
        string resuming = _lab.Folder.File("resuming");
        await _lab.KillReceiverAsync();
        await _lab.StartReceiverAsync($"touch {resuming}; sleep 100");
        using DisksyncProcess migrate = _lab.StartMigrate([image], "--pause", "true", "--unpause", _lab.Unpause, "--resume", "start");
        await Eventually.FileAsync(resuming, migrate);
        await _lab.KillReceiverAsync();
        DisksyncResult result = await migrate.WaitAsync();
        Assert.True(result.ExitCode == 5, result.ToString());
        Assert.Contains("whether its guest runs is not known", result.JsonError.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.False(File.Exists(_lab.Unpaused));

        DisksyncResult there = await _lab.OwnerThereAsync("vm.img", "--report");
        Assert.Equal("OwnerUnfinished", there.Json.GetProperty("verdict").GetString());
        await _lab.StartReceiverAsync();
        Assert.True(File.Exists(_lab.Resumed));
        _lab.AssertMoved(image);
        there = await _lab.OwnerThereAsync("vm.img", "--report");
        Assert.Equal("Owner", there.Json.GetProperty("verdict").GetString());
        DisksyncResult here = await _lab.OwnerHereAsync(image);
        Assert.True(here.ExitCode == 0, here.ToString());
        Assert.False(here.Json.GetProperty("mayRunHere").GetBoolean());
    }
}
