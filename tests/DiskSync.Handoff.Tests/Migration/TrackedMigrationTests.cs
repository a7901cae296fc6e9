using DiskSync.Engine;
using DiskSync.Handoff.Migration;
using DiskSync.TestSupport;

namespace DiskSync.Handoff.Tests.Migration;

/// <summary>Migrations whose rounds look at what a tracker reports: believed while it is right, found out where it is not.</summary>
public sealed class TrackedMigrationTests : IDisposable
{
    private const int Length = 12 << 20;
    private const int Place = (5 << 20) + 70_000;
    private readonly MigrationLab _lab = new();
    private readonly ScriptedTracking _tracking = new(Length);
    private readonly byte[] _content = SampleImage.Noise(1, Length);
    private readonly string _image;

    public TrackedMigrationTests()
    {
        _image = _lab.Image("a.img", _content);
        _lab.Tracking = _tracking;
        _lab.Options = new MigrationOptions
        {
            Machine = _lab.Machine(
                $"printf last | dd of={_image} conv=notrunc bs=1 seek={Place} status=none",
                $"touch {_lab.Note("unpaused")}"),
            Resume = "start",
            MaxDowntime = TimeSpan.FromMinutes(1),
            VerifiesFully = true,
        };
    }

    public void Dispose() => _lab.Dispose();

    [Fact]
    public async Task What_was_reported_is_sent_and_nothing_else_is_read()
    {
        _tracking.OnFence = () => _tracking.Dirty.Mark(Place, 4);
        MigrationResult result = await _lab.MigrateAsync([_image]);
        "last"u8.CopyTo(_content.AsSpan(Place));
        Assert.Equal(_content, await File.ReadAllBytesAsync(_lab.Far("a.img")));
        Assert.Equal("hash scan", result.Rounds[0][0].DirtySource);
        Assert.All(result.Rounds[0].Skip(1), r => Assert.Equal(_tracking.Name, r.DirtySource));
        Assert.Equal(65536, result.Rounds[0][^1].BytesRead);
        Assert.Equal(TimeSpan.Zero, result.Forecast.Scan);
        Assert.Contains(_tracking.Name, result.SourceBases[0], StringComparison.Ordinal);
        Assert.Equal(1, _tracking.Fences);
        Assert.Equal(0, _tracking.Releases);
        Assert.True(result.FullVerify > TimeSpan.Zero);
    }

    [Fact]
    public async Task One_lost_write_is_always_found_when_everything_is_read_again()
    {
        DiskSyncException failure = await Assert.ThrowsAsync<DiskSyncException>(() => _lab.MigrateAsync([_image]));
        Assert.Equal(FailureKind.Source, failure.Kind);
        Assert.Contains($"offset {Place / 65536 * 65536}", failure.Message, StringComparison.Ordinal);
        Assert.Contains("was handed over with epoch 2", failure.Message, StringComparison.Ordinal);
        Assert.Contains(".ceded-2", failure.Advice, StringComparison.Ordinal);
        Assert.False(_lab.Noted("unpaused"));
    }

    [Fact]
    public async Task Whoever_stops_the_reading_after_the_hand_over_hears_that_the_machine_has_moved()
    {
        using CancellationTokenSource stop = new();
        _tracking.OnFence = () => _tracking.Dirty.Mark(Place, 4);
        _lab.OnEntered = state =>
        {
            if (state == MigrationState.Done)
            {
                stop.Cancel();
            }
        };
        DiskSyncException failure = await Assert.ThrowsAsync<DiskSyncException>(
            () => _lab.MigrateAsync([_image], cancellationToken: stop.Token));
        Assert.Equal(FailureKind.Interrupted, failure.Kind);
        Assert.Contains("runs at the destination", failure.Message, StringComparison.Ordinal);
        Assert.False(_lab.Noted("unpaused"));
        Assert.True(_lab.Noted("resumed"));
    }

    [Fact]
    public async Task A_tracker_that_cannot_fence_ends_the_attempt_and_the_guest_goes_on()
    {
        _tracking.OnFence = () => throw new DiskSyncException(FailureKind.Source, "a write does not end", "Look.");
        DiskSyncException failure = await Assert.ThrowsAsync<DiskSyncException>(() => _lab.MigrateAsync([_image]));
        Assert.Contains("a write does not end", failure.Message, StringComparison.Ordinal);
        Assert.True(_lab.Noted("unpaused"));
        Assert.Equal(1, _tracking.Releases);
        Assert.True(File.Exists(_image));
        Assert.False(File.Exists(_lab.Far("a.img")));
    }

    [Fact]
    public async Task Writes_that_cannot_be_slowed_are_not_promised_to_be()
    {
        _lab.Options = _lab.Options with { MaxSlowdown = 4 };
        DiskSyncException failure = await Assert.ThrowsAsync<DiskSyncException>(() => _lab.MigrateAsync([_image]));
        Assert.Equal(FailureKind.Preflight, failure.Kind);
        Assert.Contains("--max-slowdown", failure.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_that_fails_before_the_pause_costs_scans_and_nothing_else()
    {
        _tracking.Fails = true;
        MigrationResult result = await _lab.MigrateAsync([_image]);
        "last"u8.CopyTo(_content.AsSpan(Place));
        Assert.Equal(_content, await File.ReadAllBytesAsync(_lab.Far("a.img")));
        Assert.All(result.Rounds[0], r => Assert.Equal("hash scan", r.DirtySource));
        Assert.Equal("hash scan", result.SourceBases[0]);
        Assert.Contains(_lab.Notices, n => n.Contains("not taken any more", StringComparison.Ordinal));
    }
}
