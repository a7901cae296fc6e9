using DiskSync.TestSupport;

namespace DiskSync.Interop.Tests;

/// <summary>Hand-overs between real processes over a Unix socket, and the hooks around them.</summary>
public sealed class MigrateTests : IAsyncLifetime, IDisposable
{
    private readonly HandOverLab _lab = new();

    public Task InitializeAsync() => _lab.StartReceiverAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _lab.Dispose();

    [Fact]
    public async Task A_migration_under_a_writer_ends_with_the_last_byte_written_before_the_pause_at_the_destination()
    {
        string image = _lab.Image("vm.img");
        string paused = _lab.Folder.File("paused");
        string stopped = _lab.Folder.File("stopped");
        using CancellationTokenSource end = new();
        Task writer = Task.Run(() => WriteUntilPausedAsync(image, paused, stopped, end.Token));
        DisksyncResult result = await _lab.MigrateAsync(
            [image],
            "--pause", $"{HandOverLab.Note(paused)}; while [ ! -e {stopped} ]; do sleep 0.05; done",
            "--unpause", _lab.Unpause,
            "--resume", "start");
        await end.CancelAsync();
        await writer;
        Assert.True(result.ExitCode == 0, result.ToString());

        _lab.AssertMoved(image);
        Assert.False(File.Exists(_lab.Unpaused));
        string root = result.Json.GetProperty("roots")[0].GetString()!;
        DisksyncResult verified = await DisksyncProcess.RunAsync("verify", _lab.Moved("vm.img"), root);
        Assert.True(verified.ExitCode == 0, verified.ToString());

        string attempt = $"DISKSYNC_ATTEMPT={result.Json.GetProperty("attempt").GetString()}";
        AssertHas(
            await File.ReadAllLinesAsync(_lab.Resumed),
            "DISKSYNC_ACTION=resume", "DISKSYNC_SIDE=destination", "DISKSYNC_EPOCH=2", attempt,
            $"DISKSYNC_IMAGE={_lab.Moved("vm.img")}", $"DISKSYNC_ROOT_HASH={root}");
        AssertHas(
            await File.ReadAllLinesAsync(paused),
            "DISKSYNC_ACTION=pause", "DISKSYNC_SIDE=source", "DISKSYNC_EPOCH=2", attempt, $"DISKSYNC_IMAGE={image}");
    }

    [Fact]
    public async Task A_pause_that_fails_calls_the_hand_over_off_and_the_machine_is_unpaused()
    {
        string image = _lab.Image("vm.img");
        DisksyncResult result = await _lab.MigrateAsync(
            [image], "--pause", "echo no such machine; exit 3", "--unpause", _lab.Unpause, "--resume", "start");
        Assert.True(result.ExitCode == 3, result.ToString());
        Assert.Contains("ended with exit code 3; it said last: no such machine", result.Error, StringComparison.Ordinal);
        AssertHas(
            await File.ReadAllLinesAsync(_lab.Unpaused), "DISKSYNC_ACTION=unpause", "DISKSYNC_SIDE=source", $"DISKSYNC_IMAGE={image}");
        _lab.AssertStillHere(image);

        // Nothing of it is in the way of the next attempt.
        DisksyncResult again = await _lab.MigrateAsync([image], "--resume", "start");
        Assert.True(again.ExitCode == 0, again.ToString());
        _lab.AssertMoved(image);
    }

    [Fact]
    public async Task A_pause_that_does_not_end_in_time_may_have_paused_the_machine_so_it_is_unpaused()
    {
        string image = _lab.Image("vm.img");
        string survived = _lab.Folder.File("survived");
        DisksyncResult result = await _lab.MigrateAsync(
            [image],
            "--pause", $"sleep 100; touch {survived}", "--unpause", _lab.Unpause, "--resume", "start", "--hook-timeout", "1");
        Assert.True(result.ExitCode == 3, result.ToString());
        Assert.Contains("did not end within its time limit", result.Error, StringComparison.Ordinal);
        Assert.True(File.Exists(_lab.Unpaused), result.ToString());
        Assert.False(File.Exists(survived));
        _lab.AssertStillHere(image);
    }

    [Theory]
    [InlineData("no-such-hook")]
    [InlineData("touch FOLDER/evil")]
    public async Task A_listening_receiver_runs_nothing_but_its_own_hooks_and_refuses_another_before_anything_is_copied_or_paused(string resume)
    {
        string image = _lab.Image("vm.img");
        resume = resume.Replace("FOLDER", _lab.Folder.Path, StringComparison.Ordinal);
        DisksyncResult result = await _lab.MigrateAsync([image], "--pause", $"touch {_lab.Folder.File("paused")}", "--resume", resume);
        Assert.True(result.ExitCode == 6, result.ToString());
        Assert.Contains("no hook is named", result.JsonError.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Contains("--hook NAME=CMD", result.JsonError.GetProperty("advice").GetString(), StringComparison.Ordinal);
        Assert.False(File.Exists(_lab.Folder.File("paused")), result.ToString());
        Assert.False(File.Exists(_lab.Resumed));
        Assert.False(File.Exists(_lab.Folder.File("evil")));
        _lab.AssertStillHere(image);
    }

    [Fact]
    public async Task Several_images_move_in_one_attempt()
    {
        string[] images = [_lab.Image("a.img"), _lab.Image("b.img")];
        SampleImages.ChangeSome(images[1], 5, 20);
        DisksyncResult result = await _lab.MigrateAsync(images, "--resume", "start");
        Assert.True(result.ExitCode == 0, result.ToString());
        foreach (string image in images)
        {
            _lab.AssertMoved(image);
        }

        AssertHas(
            await File.ReadAllLinesAsync(_lab.Resumed), $"DISKSYNC_IMAGES={_lab.Moved("a.img")}", _lab.Moved("b.img"), "DISKSYNC_EPOCH=2");
    }

    [Fact]
    public async Task A_resume_that_fails_leaves_the_destination_the_owner_and_says_both_ways_out()
    {
        string image = _lab.Image("vm.img");
        await _lab.KillReceiverAsync();
        await _lab.StartReceiverAsync("echo out of memory; exit 7");
        DisksyncResult result = await _lab.MigrateAsync([image], "--pause", "true", "--unpause", _lab.Unpause, "--resume", "start");
        Assert.True(result.ExitCode == 4, result.ToString());
        Assert.Contains("out of memory", result.JsonError.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Contains("owner --return", result.JsonError.GetProperty("advice").GetString(), StringComparison.Ordinal);
        Assert.False(File.Exists(_lab.Unpaused));
        _lab.AssertMoved(image);
    }

    [Fact]
    public async Task Over_another_program_than_ssh_the_resume_command_runs_as_its_user_with_the_same_environment()
    {
        string image = _lab.Image("vm.img");
        LocalShell shell = new(_lab.Folder, _lab.FarState);
        DisksyncResult result = await DisksyncProcess.RunAsync(
        [
            "migrate", image, $"far:{_lab.Root}/", "--state", _lab.NearState, "--max-downtime", "600", "--json",
            "--rsh", shell.Path, "--remote-path", LocalShell.RemotePath,
            "--pause", "true", "--unpause", _lab.Unpause, "--resume", HandOverLab.Note(_lab.Resumed),
        ], null);
        Assert.True(result.ExitCode == 0, result.ToString());
        _lab.AssertMoved(image);
        Assert.False(File.Exists(_lab.Unpaused));
        AssertHas(
            await File.ReadAllLinesAsync(_lab.Resumed),
            "DISKSYNC_ACTION=resume", "DISKSYNC_SIDE=destination", $"DISKSYNC_IMAGE={_lab.Moved("vm.img")}",
            $"DISKSYNC_ROOT_HASH={result.Json.GetProperty("roots")[0].GetString()}");
    }

    private static void AssertHas(string[] environment, params string[] lines)
    {
        foreach (string line in lines)
        {
            Assert.Contains(line, environment);
        }
    }

    /// <summary>A guest: writes pages here and there until it is paused, and says when its last one is down.</summary>
    private static async Task WriteUntilPausedAsync(string image, string paused, string stopped, CancellationToken end)
    {
        for (int i = 0; !File.Exists(paused) && !end.IsCancellationRequested; i++)
        {
            SampleImages.ChangeSome(image, i, 3);
            await Task.Delay(20, CancellationToken.None);
        }

        await File.WriteAllBytesAsync(stopped, [], CancellationToken.None);
    }
}
