using DiskSync.Engine;
using DiskSync.Handoff.Migration;
using DiskSync.TestSupport;

namespace DiskSync.Handoff.Tests.Migration;

/// <summary>What once went wrong between a pause and a running guest, or could have.</summary>
public sealed class MigrationSafetyTests : IDisposable
{
    private const int Length = (1 << 20) + 512;
    private static readonly byte[] Content = SampleImage.Noise(1, Length);
    private readonly MigrationLab _lab;
    private readonly MigrationOptions _options;

    public MigrationSafetyTests()
    {
        _lab = new MigrationLab();
        _options = new MigrationOptions
        {
            Machine = _lab.Machine(
                $"touch {_lab.Note("paused")}",
                $"touch {_lab.Note("unpaused")}"),
            Resume = "start",
            MaxDowntime = TimeSpan.FromMinutes(1),
        };
        _lab.Options = _options;
    }

    public void Dispose() => _lab.Dispose();

    [Fact]
    public async Task A_push_that_waited_behind_a_hand_over_does_not_replace_the_disk_that_is_owned_now()
    {
        string image = _lab.Image("a.img", Content);
        _lab.Options = _options with { Machine = _lab.Machine($"touch {_lab.Note("paused")}; while [ ! -e {_lab.Note("go")} ]; do sleep 0.02; done", $"touch {_lab.Note("unpaused")}") };
        Task<MigrationResult> migration = _lab.MigrateAsync([image]);
        await WaitForAsync("paused", migration);
        WatchedDestination guard = new(_lab.HandOver);
        Task push = _lab.PushAsync(_lab.Image("b.img", SampleImage.Noise(2, Length)), "a.img", guard);
        await guard.Guarded;
        await File.WriteAllTextAsync(_lab.Note("go"), string.Empty);
        await migration;
        DiskSyncException refused = await Assert.ThrowsAnyAsync<DiskSyncException>(() => push);
        Assert.Contains("owns", refused.Message, StringComparison.Ordinal);
        Assert.Equal(Content, await File.ReadAllBytesAsync(_lab.Far("a.img")));
    }

    [Fact]
    public async Task Something_unforeseen_during_the_pause_still_lets_the_guest_go()
    {
        string image = _lab.Image("a.img", Content);
        _lab.Wrap = source => new BuggySource(source, () => _lab.Noted("paused"));
        DiskSyncException failure = await Assert.ThrowsAsync<DiskSyncException>(() => _lab.MigrateAsync([image]));
        Assert.Contains("a bug", failure.Message, StringComparison.Ordinal);
        await AssertStillHereAsync(image, Content);
    }

    [Theory]
    [InlineData("exit 0", true)]
    [InlineData("exit 1", false)]
    public async Task A_link_that_breaks_while_the_guest_is_resumed_makes_no_success_of_it(string end, bool runs)
    {
        using MigrationLab lab = new(start: "true");
        using MigrationLab slow = new(start: $"touch {lab.Note("resuming")}; sleep 1; ({end})");
        slow.Options = new MigrationOptions
        {
            Resume = "start",
            MaxDowntime = TimeSpan.FromMinutes(1),
            ResumePatience = TimeSpan.FromSeconds(4),
        };
        Task<MigrationResult> migration = slow.MigrateAsync([slow.Image("a.img", Content)]);
        while (!lab.Noted("resuming") && !migration.IsCompleted)
        {
            await Task.Delay(20);
        }

        slow.CutLink();
        if (runs)
        {
            Assert.True((await migration).Outcome.Resume is { Running: true });
            Assert.True(slow.Noted("resumed"));
            return;
        }

        DiskSyncException failure = await Assert.ThrowsAsync<DiskSyncException>(() => migration);
        Assert.Equal(FailureKind.Transport, failure.Kind);
        Assert.Contains("whether its guest runs is not known", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_image_that_was_replaced_under_its_name_before_the_final_delta_is_not_handed_over()
    {
        string image = _lab.Image("a.img", Content);
        _lab.Options = _options with { Machine = _lab.Machine($"cp {image} {image}.new && mv {image}.new {image}", $"touch {_lab.Note("unpaused")}") };
        DiskSyncException failure = await Assert.ThrowsAsync<DiskSyncException>(() => _lab.MigrateAsync([image]));
        Assert.Equal(FailureKind.Source, failure.Kind);
        Assert.Contains("another file now", failure.Message, StringComparison.Ordinal);
        await AssertStillHereAsync(image, Content);
    }

    [Fact]
    public async Task An_image_that_was_replaced_under_its_name_after_the_final_delta_is_not_handed_over()
    {
        string image = _lab.Image("a.img", Content);
        byte[] other = SampleImage.Noise(3, Length);
        string replacement = _lab.Image("other.img", other);
        _lab.HandOver = new WatchedDestination(_lab.HandOver)
        {
            AfterPrepare = () => File.Move(replacement, image, overwrite: true),
        };
        DiskSyncException failure = await Assert.ThrowsAsync<DiskSyncException>(() => _lab.MigrateAsync([image]));
        Assert.Equal(FailureKind.Source, failure.Kind);
        await AssertStillHereAsync(image, other);
    }

    private async Task WaitForAsync(string note, Task running)
    {
        while (!_lab.Noted(note) && !running.IsCompleted)
        {
            await Task.Delay(20);
        }
    }

    private async Task AssertStillHereAsync(string image, byte[] content)
    {
        Assert.True(_lab.Noted("unpaused"));
        Assert.False(_lab.Noted("resumed"));
        Assert.Equal(content, await File.ReadAllBytesAsync(image));
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(image)!, "*.ceded-*"));
    }
}
