using DiskSync.Engine;
using DiskSync.Handoff.Hooks;
using DiskSync.Handoff.Hypervisors;
using DiskSync.Handoff.Hypervisors.Qemu;
using DiskSync.TestSupport;

namespace DiskSync.Handoff.Tests.Hypervisors;

/// <summary>What only QEMU has, with real ones.</summary>
public sealed class QemuMachineTests : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(500);
    private readonly QemuMachineLab _lab = new("-machine", "pc", "-m", "16");

    public void Dispose() => _lab.Dispose();

    [Fact]
    public async Task A_destination_that_was_started_without_S_is_held_all_the_same()
    {
        await _lab.StartNearAsync();
        await _lab.StartFarAsync();
        await _lab.Destination.CheckAsync(CancellationToken.None);
        AssertDone(await PauseAsync(_lab.Source));
        await _lab.Source.CompleteAsync(CancellationToken.None);
        await _lab.Destination.CheckHeldAsync(CancellationToken.None);
        Assert.Equal("paused", await _lab.Far.StatusAsync());
    }

    [Fact]
    public async Task A_destination_that_runs_or_waits_for_nobody_is_refused_and_not_touched()
    {
        foreach ((string[] arguments, string status) in new[] { (Array.Empty<string>(), "running"), (["-S"], "prelaunch") })
        {
            await _lab.StartNearAsync(arguments);
            IDestinationMachine machine = new QemuHypervisor(_lab.Limit).Destination(QmpAddress.Of(_lab.NearSocket));
            DiskSyncException refused = await Assert.ThrowsAsync<DiskSyncException>(() => machine.CheckAsync(CancellationToken.None));
            Assert.Equal(FailureKind.Preflight, refused.Kind);
            Assert.Contains(status, refused.Message, StringComparison.Ordinal);
            Assert.Contains("-incoming", refused.Advice, StringComparison.Ordinal);
            await Assert.ThrowsAsync<DiskSyncException>(() => machine.CheckHeldAsync(CancellationToken.None));
            Assert.Equal(status, await _lab.Near.StatusAsync());
            _lab.Near.Kill();
        }
    }

    [Fact]
    public async Task A_destination_that_still_holds_an_earlier_attempt_is_refused()
    {
        await _lab.StartAsync();
        await _lab.Destination.CheckAsync(CancellationToken.None);
        AssertDone(await PauseAsync(_lab.Source));
        await _lab.Source.CompleteAsync(CancellationToken.None);
        AssertDone(await UnpauseAsync());
        await Assert.ThrowsAsync<DiskSyncException>(() => _lab.Destination.CheckAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_destination_to_which_nothing_was_sent_is_not_promised()
    {
        await _lab.StartFarAsync("-S");
        await _lab.Destination.CheckAsync(CancellationToken.None);
        DiskSyncException refused = await Assert.ThrowsAsync<DiskSyncException>(() => _lab.Destination.CheckHeldAsync(CancellationToken.None));
        Assert.Contains("nothing arrived", refused.Message, StringComparison.Ordinal);
        Assert.Contains("--memory-uri", refused.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_machine_that_does_not_run_or_cannot_be_migrated_is_refused_before_anything_is_copied()
    {
        await _lab.StartNearAsync("-S");
        Assert.Contains("prelaunch", (await AssertRefusedAsync()).Message, StringComparison.Ordinal);
        _lab.Near.Kill();

        using TempFolder folder = new();
        await _lab.StartNearAsync("-blockdev", $"driver=vvfat,node-name=fat,dir={folder.Path},rw=on");
        Assert.Contains("vvfat", (await AssertRefusedAsync()).Message, StringComparison.Ordinal);
        _lab.Near.Kill();

        await _lab.StartAsync();
        await _lab.Near.ThrottleMemoryAsync();
        await _lab.Near.ExecuteAsync("migrate", new() { ["uri"] = _lab.MemoryUri });
        Assert.Contains("under way", (await AssertRefusedAsync()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pause_without_memory_stops_the_machine_and_nothing_else()
    {
        await _lab.StartNearAsync();
        ISourceMachine machine = new QemuHypervisor(_lab.Limit).Machine(QmpAddress.Of(_lab.NearSocket), null, DiskSync.Engine.Progress.NoProgress.Instance);
        await machine.CheckAsync(CancellationToken.None);
        Assert.False(machine.CopiesMemory);
        AssertDone(await PauseAsync(machine));
        Assert.Equal("paused", await _lab.Near.StatusAsync());
        await machine.CompleteAsync(CancellationToken.None);
        AssertDone(await UnpauseAsync());
        Assert.Equal("running", await _lab.Near.StatusAsync());
    }

    [Fact]
    public async Task Memory_that_does_not_come_to_an_end_is_given_up_with_the_figures_and_the_machine_was_never_paused()
    {
        await _lab.StartAsync();
        await _lab.Near.ThrottleMemoryAsync();
        _lab.MemoryLimit = Soon;
        MachineResult result = await PauseAsync(_lab.Source);
        Assert.True(result.Kind == FailureKind.NotConverged, result.Problem);
        Assert.Contains("are left", result.Problem, StringComparison.Ordinal);
        Assert.Contains("--memory-timeout", result.Problem, StringComparison.Ordinal);
        Assert.Equal("running", await _lab.Near.StatusAsync());
        AssertDone(await UnpauseAsync());
        Assert.Equal("cancelled", (await _lab.Near.ExecuteAsync("query-migrate")).GetProperty("status").GetString());
        Assert.Equal("running", await _lab.Near.StatusAsync());
    }

    [Fact]
    public async Task A_user_who_stops_it_while_memory_is_copied_is_heard()
    {
        await _lab.StartAsync();
        await _lab.Near.ThrottleMemoryAsync();
        using CancellationTokenSource stop = new(Soon);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _lab.Source.PauseAsync(Context, stop.Token));
        AssertDone(await UnpauseAsync());
        Assert.Equal("running", await _lab.Near.StatusAsync());
    }

    [Fact]
    public async Task Nobody_there_to_take_the_memory_is_a_failure_and_the_machine_runs_on()
    {
        await _lab.StartNearAsync();
        MachineResult result = await PauseAsync(_lab.Source);
        Assert.False(result.Succeeded);
        Assert.Contains(_lab.NearSocket, result.Problem, StringComparison.Ordinal);
        AssertDone(await UnpauseAsync());
        Assert.Equal("running", await _lab.Near.StatusAsync());
    }

    [Fact]
    public async Task A_source_that_hangs_is_waited_for_no_longer_than_was_said_and_goes_on_when_it_is_back()
    {
        await _lab.StartAsync();
        ISourceMachine source = _lab.Source;
        AssertDone(await PauseAsync(source));
        _lab.Limit = Soon;
        source = _lab.Source;
        _lab.Near.Freeze();
        await Assert.ThrowsAsync<QmpConnectionException>(() => source.CheckAsync(CancellationToken.None));
        await Assert.ThrowsAsync<QmpConnectionException>(() => source.CompleteAsync(CancellationToken.None));
        Assert.False((await PauseAsync(source)).Succeeded);
        Assert.Contains(_lab.NearSocket, (await UnpauseAsync()).Problem, StringComparison.Ordinal);
        _lab.Near.Thaw();
        _lab.Limit = TimeSpan.FromSeconds(30);
        AssertDone(await UnpauseAsync());
        Assert.Equal("running", await _lab.Near.StatusAsync());
    }

    [Fact]
    public async Task A_destination_that_hangs_keeps_nobody_paused_for_good()
    {
        await _lab.StartAsync();
        _lab.Far.Freeze();
        _lab.MemoryLimit = Soon;
        MachineResult pause = await PauseAsync(_lab.Source);
        Assert.False(pause.Succeeded);
        AssertDone(await UnpauseAsync());
        Assert.Equal("running", await _lab.Near.StatusAsync());
        _lab.Limit = Soon;
        await Assert.ThrowsAsync<QmpConnectionException>(() => _lab.Destination.CheckAsync(CancellationToken.None));
        await Assert.ThrowsAsync<QmpConnectionException>(() => _lab.Destination.CheckHeldAsync(CancellationToken.None));
        Assert.False((await _lab.Destination.ResumeAsync(Context)).Succeeded);
    }

    [Fact]
    public async Task A_machine_whose_memory_was_lost_at_the_destination_is_not_started_as_another_one()
    {
        await _lab.StartAsync();
        await _lab.Destination.CheckAsync(CancellationToken.None);
        AssertDone(await PauseAsync(_lab.Source));
        await _lab.Source.CompleteAsync(CancellationToken.None);
        await _lab.Destination.CheckHeldAsync(CancellationToken.None);
        _lab.Far.Kill();
        await _lab.StartFarAsync("-S");
        MachineResult lost = await _lab.Destination.ResumeAsync(Context);
        Assert.False(lost.Succeeded);
        Assert.Contains("does not have the machine's memory", lost.Output, StringComparison.Ordinal);
        Assert.Contains("owner --return", lost.Output, StringComparison.Ordinal);
        Assert.Equal("inmigrate", await _lab.Far.StatusAsync());
    }

    [Fact]
    public async Task Nobody_who_migrates_the_machine_by_hand_later_finds_a_setting_of_ours()
    {
        await _lab.StartAsync();
        AssertDone(await PauseAsync(_lab.Source));
        AssertDone(await UnpauseAsync());
        Assert.DoesNotContain(
            (await _lab.Near.ExecuteAsync("query-migrate-capabilities")).EnumerateArray(),
            c => c.GetProperty("capability").GetString() == "pause-before-switchover" && c.GetProperty("state").GetBoolean());
    }

    [Theory]
    [InlineData("qmp:")]
    [InlineData("qmp:relative/path")]
    public void A_socket_that_is_no_absolute_path_is_refused(string address)
    {
        HostHypervisor host = new(Soon);
        Assert.Equal(FailureKind.Usage, Assert.Throws<DiskSyncException>(() => host.Source(address)).Kind);
        Assert.Equal(FailureKind.Usage, Assert.Throws<DiskSyncException>(() => host.Destination(address)).Kind);
    }

    private static HookContext Context => new(GuestAction.Pause, Guid.NewGuid(), 2, ["/images/a.img"], []);

    private static void AssertDone(MachineResult result) => Assert.True(result.Succeeded, result.Problem);

    private static Task<MachineResult> PauseAsync(ISourceMachine machine) => machine.PauseAsync(Context, CancellationToken.None);

    private Task<MachineResult> UnpauseAsync() => _lab.FromJournal(QmpAddress.Of(_lab.NearSocket)).UnpauseAsync(Context);

    private async Task<DiskSyncException> AssertRefusedAsync()
    {
        DiskSyncException refused = await Assert.ThrowsAsync<DiskSyncException>(() => _lab.Source.CheckAsync(CancellationToken.None));
        Assert.Equal(FailureKind.Preflight, refused.Kind);
        Assert.Contains("nothing was paused", refused.Message, StringComparison.Ordinal);
        return refused;
    }
}
