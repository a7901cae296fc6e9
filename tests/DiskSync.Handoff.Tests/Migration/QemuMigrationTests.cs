using DiskSync.Engine;
using DiskSync.Handoff.Migration;
using DiskSync.Handoff.Tests.Hypervisors;
using DiskSync.TestSupport;

namespace DiskSync.Handoff.Tests.Migration;

/// <summary>Whole migrations with real QEMUs on both sides.</summary>
public sealed class QemuMigrationTests : IDisposable
{
    private const int Length = (3 << 20) + 512;
    private static readonly byte[] Content = SampleImage.Noise(1, Length);
    private readonly QemuMachineLab _machines = new();
    private readonly MigrationLab _lab;

    public QemuMigrationTests() => _lab = new MigrationLab(machine: _machines.FarSocket);

    public void Dispose()
    {
        _lab.Dispose();
        _machines.Dispose();
    }

    [Fact]
    public async Task Disk_and_memory_move_and_the_machine_goes_on_at_the_destination_alone()
    {
        string image = await StartAsync();
        MigrationResult result = await _lab.MigrateAsync([image]);
        Assert.Equal(Content, await File.ReadAllBytesAsync(_lab.Far("a.img")));
        Assert.True(File.Exists(image + ".ceded-2"));
        Assert.Equal("running", await _machines.Far.StatusAsync());
        Assert.Equal("postmigrate", await _machines.Near.StatusAsync());
        Assert.True(result.Memory > TimeSpan.Zero);
        Assert.True(result.Pause < result.Downtime);
        Assert.Equal(
            [MigrationState.CopyingMemory, MigrationState.Paused, MigrationState.HandingOver, MigrationState.Done], _lab.States[^4..]);

        // The next forecast need not guess what a pause and a resume take.
        Assert.True(_lab.Forecast.HooksAreGuessed);
    }

    [Theory]
    [InlineData("before prepare")]
    [InlineData("after prepare")]
    public async Task A_destination_that_dies_in_the_pause_gives_the_machine_back_to_the_source(string when)
    {
        string image = await StartAsync();
        _lab.HandOver = when == "before prepare"
            ? new WatchedDestination(_lab.HandOver) { BeforePrepare = KillFar }
            : new WatchedDestination(_lab.HandOver) { AfterPrepare = () => throw new DiskSyncException(FailureKind.Destination, "dies") };
        DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(() => _lab.MigrateAsync([image]));
        Assert.Contains("its guest runs", failure.Message, StringComparison.Ordinal);
        Assert.Equal("running", await _machines.Near.StatusAsync());
        Assert.NotEqual("running", await _machines.Far.StatusAsync());
        Assert.Equal(Content, await File.ReadAllBytesAsync(image));
    }

    [Fact]
    public async Task A_source_whose_QEMU_dies_in_the_pause_keeps_its_image_and_says_what_to_start()
    {
        string image = await StartAsync();
        WatchedSource.Arm(_lab, () => _machines.Near.Kill(), _machines.Source);
        DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(() => _lab.MigrateAsync([image]));
        Assert.Equal(FailureKind.OwnershipInDoubt, failure.Kind);
        Assert.Contains(_machines.NearSocket, failure.Message, StringComparison.Ordinal);
        Assert.Contains("disksync owner", failure.Message, StringComparison.Ordinal);
        Assert.Equal(Content, await File.ReadAllBytesAsync(image));
        Assert.NotEqual("running", await _machines.Far.StatusAsync());
    }

    [Fact]
    public async Task A_machine_that_dies_at_the_destination_after_the_hand_over_is_handed_back_with_its_memory()
    {
        string image = await StartAsync();
        _lab.HandOver = new WatchedDestination(_lab.HandOver) { AfterPrepare = () => _machines.Far.Kill() };
        DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(() => _lab.MigrateAsync([image]));
        Assert.Equal(FailureKind.Destination, failure.Kind);
        Assert.Contains("could not be resumed", failure.Message, StringComparison.Ordinal);
        Assert.Contains("owner --return", failure.Advice, StringComparison.Ordinal);
        Assert.Equal("postmigrate", await _machines.Near.StatusAsync());
    }

    [Fact]
    public async Task A_destination_that_is_not_ready_costs_neither_a_copy_nor_a_pause()
    {
        string image = await StartAsync();
        _machines.Far.Kill();
        DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(() => _lab.MigrateAsync([image]));
        Assert.Contains(_machines.FarSocket, failure.Message, StringComparison.Ordinal);
        Assert.Equal("running", await _machines.Near.StatusAsync());
        Assert.Empty(Directory.GetFiles(_lab.Far(string.Empty)));
    }

    [Fact]
    public async Task Memory_without_anybody_who_would_let_it_run_is_refused()
    {
        string image = await StartAsync();
        _lab.Options = _lab.Options with { Resume = string.Empty };
        DiskSyncException failure = await Assert.ThrowsAsync<DiskSyncException>(() => _lab.MigrateAsync([image]));
        Assert.Equal(FailureKind.Usage, failure.Kind);
        Assert.Equal("running", await _machines.Near.StatusAsync());
    }

    private async Task<string> StartAsync()
    {
        await _machines.StartAsync();
        _lab.Options = new MigrationOptions { Machine = _machines.Source, Resume = "machine", MaxDowntime = TimeSpan.FromMinutes(1) };
        return _lab.Image("a.img", Content);
    }

    private Task KillFar()
    {
        _machines.Far.Kill();
        return Task.CompletedTask;
    }
}
