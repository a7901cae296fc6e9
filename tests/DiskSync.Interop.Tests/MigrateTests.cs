using DiskSync.TestSupport;

namespace DiskSync.Interop.Tests;

/// <summary>Hand-overs between real processes over a Unix socket.</summary>
public sealed class MigrateTests : IAsyncLifetime, IDisposable
{
    private readonly TempFolder _folder = new();
    private DisksyncProcess _receiver = null!;

    private string Socket => _folder.File("d.sock");

    private string Root => _folder.File("far");

    public async Task InitializeAsync()
    {
        Directory.CreateDirectory(Root);
        Directory.CreateDirectory(_folder.File("near"));
        _receiver = DisksyncProcess.Start(
        [
            "receive", "--listen", $"unix:{Socket}", "--root", Root, "--state", _folder.File("far-state"),
            "--hook", $"start=env > {_folder.File("resumed")}",
        ]);
        while (!File.Exists(Socket) && !_receiver.Process.HasExited)
        {
            await Task.Delay(50);
        }
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose()
    {
        _receiver.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_migration_under_a_writer_ends_with_the_last_byte_written_before_the_pause_at_the_destination()
    {
        string image = Image("vm.img");
        using CancellationTokenSource end = new();
        Task writer = Task.Run(() => WriteUntilPausedAsync(image, end.Token));
        DisksyncResult result = await MigrateAsync(
            [image],
            "--pause", $"env > {_folder.File("pause-env")}; touch {_folder.File("paused")}; while [ ! -e {_folder.File("stopped")} ]; do sleep 0.05; done",
            "--unpause", $"touch {_folder.File("unpaused")}",
            "--resume", "start");
        await end.CancelAsync();
        await writer;
        Assert.True(result.ExitCode == 0, result.ToString());

        string moved = Path.Join(Root, "vm.img");
        Assert.False(File.Exists(image));
        Tool.Run("diffutils", "cmp", image + ".ceded-2", moved);
        Assert.False(File.Exists(_folder.File("unpaused")));
        Assert.True(File.Exists(moved + ".seal"));
        string root = (await DisksyncProcess.RunAsync("map", moved)).Output;
        string[] resumed = await File.ReadAllLinesAsync(_folder.File("resumed"));
        Assert.Contains("DISKSYNC_SIDE=destination", resumed);
        Assert.Contains("DISKSYNC_EPOCH=2", resumed);
        Assert.Contains($"DISKSYNC_IMAGE={moved}", resumed);
        string hash = resumed.Single(l => l.StartsWith("DISKSYNC_ROOT_HASH=", StringComparison.Ordinal))["DISKSYNC_ROOT_HASH=".Length..];
        Assert.Contains(hash, root, StringComparison.Ordinal);
        string[] paused = await File.ReadAllLinesAsync(_folder.File("pause-env"));
        Assert.Contains("DISKSYNC_SIDE=source", paused);
        Assert.Contains($"DISKSYNC_IMAGE={image}", paused);
    }

    [Fact]
    public async Task A_pause_that_fails_calls_the_hand_over_off_and_the_machine_is_unpaused()
    {
        string image = Image("vm.img");
        DisksyncResult result = await MigrateAsync(
            [image], "--pause", "exit 3", "--unpause", $"touch {_folder.File("unpaused")}", "--resume", "start");
        Assert.InRange(result.ExitCode, 2, 9);
        Assert.True(File.Exists(_folder.File("unpaused")), result.ToString());
        await AssertStillHereAsync(image);

        // Nothing of it is in the way of the next attempt.
        DisksyncResult again = await MigrateAsync([image], "--resume", "start");
        Assert.True(again.ExitCode == 0, again.ToString());
        Tool.Run("diffutils", "cmp", image + ".ceded-" + Ceded(image), Path.Join(Root, "vm.img"));
    }

    [Fact]
    public async Task A_hook_that_the_receiver_does_not_have_calls_the_hand_over_off()
    {
        string image = Image("vm.img");
        DisksyncResult result = await MigrateAsync(
            [image], "--pause", "true", "--unpause", $"touch {_folder.File("unpaused")}", "--resume", "no-such-hook");
        Assert.InRange(result.ExitCode, 2, 9);
        Assert.True(File.Exists(_folder.File("unpaused")), result.ToString());
        Assert.False(File.Exists(_folder.File("resumed")));
        await AssertStillHereAsync(image);
    }

    [Fact]
    public async Task Several_images_move_in_one_attempt()
    {
        string[] images = [Image("a.img"), Image("b.img")];
        DisksyncResult result = await MigrateAsync(images, "--resume", "start");
        Assert.True(result.ExitCode == 0, result.ToString());
        foreach (string image in images)
        {
            Assert.False(File.Exists(image));
            Tool.Run("diffutils", "cmp", image + ".ceded-2", Path.Join(Root, Path.GetFileName(image)));
        }

        string[] resumed = await File.ReadAllLinesAsync(_folder.File("resumed"));
        Assert.Contains($"DISKSYNC_IMAGES={Path.Join(Root, "a.img")}", resumed);
        Assert.Contains(Path.Join(Root, "b.img"), resumed);
    }

    private static string Ceded(string image)
    {
        string ceded = Directory.GetFiles(Path.GetDirectoryName(image)!, Path.GetFileName(image) + ".ceded-*").Single();
        return ceded[(ceded.LastIndexOf('-') + 1)..];
    }

    private string Image(string name)
    {
        string image = _folder.File("near/" + name);
        SampleImages.Write(image);
        return image;
    }

    private Task<DisksyncResult> MigrateAsync(string[] images, params string[] options) => DisksyncProcess.RunAsync(
    [
        "migrate", .. images, images.Length > 1 ? $"unix:{Socket}:" : $"unix:{Socket}:vm.img",
        "--state", _folder.File("near-state"), "--max-downtime", "600", .. options,
    ]);

    private async Task AssertStillHereAsync(string image)
    {
        Assert.True(File.Exists(image));
        Assert.Empty(Directory.GetFiles(_folder.File("near"), "*.ceded-*"));
        Assert.False(File.Exists(Path.Join(Root, "vm.img")));
        await using FileStream open = new(image, FileMode.Open, FileAccess.ReadWrite);
        open.WriteByte(1);
    }

    /// <summary>A guest: writes pages here and there until it is paused, and says when its last one is down.</summary>
    private async Task WriteUntilPausedAsync(string image, CancellationToken end)
    {
        for (int i = 0; !File.Exists(_folder.File("paused")) && !end.IsCancellationRequested; i++)
        {
            SampleImages.ChangeSome(image, i, 3);
            await Task.Delay(20, CancellationToken.None);
        }

        await File.WriteAllBytesAsync(_folder.File("stopped"), [], CancellationToken.None);
    }
}
