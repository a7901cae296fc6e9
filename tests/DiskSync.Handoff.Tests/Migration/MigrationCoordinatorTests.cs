using DiskSync.Engine;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Handoff.Hooks;
using DiskSync.Handoff.Migration;
using DiskSync.TestSupport;

namespace DiskSync.Handoff.Tests.Migration;

public sealed class MigrationCoordinatorTests : IDisposable
{
    private const int Length = (3 << 20) + 512;
    private readonly MigrationLab _lab = new(start: "sleep 0.3");

    public void Dispose() => _lab.Dispose();

    [Fact]
    public async Task An_image_that_is_written_until_the_pause_arrives_with_its_last_byte_and_the_second_forecast_knows_the_hooks()
    {
        byte[] content = SampleImage.Noise(1, Length);
        string image = _lab.Image("a.img", content);
        _lab.Options = new MigrationOptions
        {
            Machine = _lab.Machine(
                $"printf last | dd of={image} conv=notrunc bs=1 seek=70000 status=none",
                Touch("unpaused")),
            Resume = "start",
            MaxDowntime = TimeSpan.FromMinutes(1),
        };
        MigrationResult result = await _lab.MigrateAsync([image]);
        "last"u8.CopyTo(content.AsSpan(70000));
        Assert.Equal(content, await File.ReadAllBytesAsync(_lab.Far("a.img")));
        Assert.Equal(content, await File.ReadAllBytesAsync(image + ".ceded-2"));
        Assert.True(_lab.Noted("resumed"));
        Assert.False(_lab.Noted("unpaused"));
        Assert.True(_lab.Forecast.HooksAreGuessed);
        Assert.True(result.Downtime >= result.Resume && result.Resume >= TimeSpan.FromSeconds(0.25), $"{result.Resume} of {result.Downtime}");

        await _lab.MigrateAsync([_lab.Image("b.img", content)]);
        Assert.False(_lab.Forecast.HooksAreGuessed);
        Assert.True(_lab.Forecast.Hooks >= TimeSpan.FromSeconds(0.25), $"{_lab.Forecast.Hooks}");
    }

    [Fact]
    public async Task A_destination_that_is_stuck_while_the_guest_is_paused_gives_it_back_within_the_budget()
    {
        byte[] content = SampleImage.Noise(1, Length);
        string image = _lab.Image("a.img", content);
        Engine.Replication.IHandOverParticipant real = _lab.HandOver;
        TaskCompletionSource stuck = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _lab.HandOver = new WatchedDestination(real) { BeforePrepare = () => stuck.Task };
        _lab.Options = new MigrationOptions
        {
            Machine = _lab.Machine(
                "true",
                Touch("unpaused")),
            Resume = "start",
            MaxDowntime = TimeSpan.FromSeconds(4),
        };
        Task<MigrationResult> stopped = _lab.MigrateAsync([image]);
        while (!_lab.Noted("unpaused") && !stopped.IsCompleted)
        {
            await Task.Delay(20);
        }

        // The guest runs already; the refusal that is on its way meanwhile is nobody's downtime.
        Assert.False(stopped.IsCompleted);
        stuck.SetResult();
        DiskSyncException failure = await Assert.ThrowsAsync<DiskSyncException>(() => stopped);
        Assert.Equal(FailureKind.NotConverged, failure.Kind);
        Assert.Contains("did not fit the accepted downtime", failure.Message, StringComparison.Ordinal);
        Assert.Contains("its guest runs", failure.Message, StringComparison.Ordinal);
        Assert.Equal(content, await File.ReadAllBytesAsync(image));
        Assert.False(_lab.Noted("resumed"));

        _lab.HandOver = real;
        _lab.Options = _lab.Options with { MaxDowntime = TimeSpan.FromMinutes(1) };
        await _lab.MigrateAsync([image]);
        Assert.Equal(content, await File.ReadAllBytesAsync(_lab.Far("a.img")));
    }

    [Fact]
    public async Task A_hook_that_the_destination_does_not_have_is_refused_before_anything_is_copied_or_paused()
    {
        string image = _lab.Image("a.img", SampleImage.Noise(1, Length));
        _lab.Options = new MigrationOptions { Machine = _lab.Machine(Touch("paused")), Resume = "strat" };
        DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(() => _lab.MigrateAsync([image]));
        Assert.Equal(FailureKind.Preflight, failure.Kind);
        Assert.Contains("no hook is named 'strat'", failure.Message, StringComparison.Ordinal);
        Assert.Contains("start", failure.Advice, StringComparison.Ordinal);
        Assert.False(_lab.Noted("paused"));
        Assert.Empty(Directory.GetFiles(_lab.Far(string.Empty)));
    }

    [Fact]
    public async Task A_budget_that_the_forecast_does_not_fit_pauses_nothing_and_says_the_figures()
    {
        string image = _lab.Image("a.img", SampleImage.Noise(1, Length));
        _lab.Options = new MigrationOptions { Machine = _lab.Machine(Touch("paused")), MaxDowntime = TimeSpan.FromMilliseconds(20) };
        DiskSyncException failure = await Assert.ThrowsAsync<DiskSyncException>(() => _lab.MigrateAsync([image]));
        Assert.Equal(FailureKind.NotConverged, failure.Kind);
        Assert.Contains("0.02 s", failure.Message, StringComparison.Ordinal);
        Assert.False(_lab.Noted("paused"));
        Assert.DoesNotContain(MigrationState.Paused, _lab.States);
        Assert.True(File.Exists(_lab.Far("a.img.partial")), "what was copied is kept");
    }

    [Fact]
    public async Task A_user_who_stops_it_during_the_pause_gets_the_guest_back()
    {
        byte[] content = SampleImage.Noise(1, Length);
        string image = _lab.Image("a.img", content);
        using CancellationTokenSource stop = new();
        _lab.Options = new MigrationOptions
        {
            Machine = _lab.Machine(
                $"{Touch("paused")}; while [ ! -e {_lab.Note("stopped")} ]; do sleep 0.02; done",
                Touch("unpaused")),
            Resume = "start",
            MaxDowntime = TimeSpan.FromMinutes(1),
        };
        Task<MigrationResult> running = _lab.MigrateAsync([image], cancellationToken: stop.Token);
        while (!_lab.Noted("paused") && !running.IsCompleted)
        {
            await Task.Delay(20);
        }

        await stop.CancelAsync();
        await File.WriteAllTextAsync(_lab.Note("stopped"), string.Empty);
        DiskSyncException failure = await Assert.ThrowsAsync<DiskSyncException>(() => running);
        Assert.Equal(FailureKind.Interrupted, failure.Kind);
        Assert.True(_lab.Noted("unpaused"));
        Assert.False(_lab.Noted("resumed"));
        Assert.Equal(content, await File.ReadAllBytesAsync(image));
    }

    [Fact]
    public async Task Several_images_change_hands_in_one_attempt()
    {
        byte[][] contents = [SampleImage.Noise(1, Length), SampleImage.Create(2, Length), SampleImage.Noise(3, 5000)];
        string[] images = [.. contents.Select((c, i) => _lab.Image($"{i}.img", c))];
        _lab.Options = new MigrationOptions { Resume = "start", MaxDowntime = TimeSpan.FromMinutes(1) };
        MigrationResult result = await _lab.MigrateAsync(images);
        Assert.Equal(3, result.Roots.Count);
        for (int i = 0; i < images.Length; i++)
        {
            Assert.Equal(contents[i], await File.ReadAllBytesAsync(_lab.Far($"{i}.img")));
            Assert.False(File.Exists(images[i]));
        }

        Assert.Equal("ran\n", await File.ReadAllTextAsync(_lab.Note("resumed")));
    }

    [Fact]
    public async Task The_destination_has_let_go_of_the_image_when_its_guest_is_resumed()
    {
        byte[] content = SampleImage.Noise(1, Length);
        using LoopDevice source = LoopDevice.Create(4 << 20);
        using LoopDevice target = LoopDevice.Create(4 << 20);
        Tool.Run("e2fsprogs", "mkfs.ext4", "-q", source.Path);
        using (MigrationLab devices = new("/dev", $"mount {target.Path} $(mktemp -d -p {_lab.Near(string.Empty)})"))
        {
            devices.Options = new MigrationOptions { Resume = "start", MaxDowntime = TimeSpan.FromMinutes(1) };
            try
            {
                await devices.MigrateAsync([source.Path], target.Name, OpenFlags.InPlace);
            }
            finally
            {
                if (devices.Noted("resumed"))
                {
                    Tool.Run("mount", "umount", target.Path);
                }
            }
        }

        using MigrationLab files = new(start: "flock -n \"$DISKSYNC_IMAGE\" true");
        files.Options = new MigrationOptions { Resume = "start", MaxDowntime = TimeSpan.FromMinutes(1) };
        await files.MigrateAsync([files.Image("a.img", content)]);
        Assert.True(files.Noted("resumed"));
    }

    [Fact]
    public void What_a_hook_took_is_remembered_for_its_place_and_a_damaged_file_only_brings_the_guess_back()
    {
        using TempFolder folder = new();
        HookTimes times = new(folder.Path);
        Assert.Null(times.Of(GuestAction.Resume, "b", "start"));
        times.Note(GuestAction.Resume, "b", "start", TimeSpan.FromSeconds(7));
        Assert.Equal(TimeSpan.FromSeconds(7), new HookTimes(folder.Path).Of(GuestAction.Resume, "b", "start"));
        Assert.Null(times.Of(GuestAction.Resume, "c", "start"));
        for (int i = 0; i < 300; i++)
        {
            times.Note(GuestAction.Pause, string.Empty, $"pause {i}", TimeSpan.FromSeconds(1));
        }

        Assert.Null(times.Of(GuestAction.Resume, "b", "start"));
        Assert.NotNull(times.Of(GuestAction.Pause, string.Empty, "pause 299"));
        File.WriteAllText(folder.File("hook-times.json"), "{\"a\":");
        Assert.Null(times.Of(GuestAction.Pause, string.Empty, "pause 299"));
    }

    private string Touch(string name) => $"touch {_lab.Note(name)}";
}
