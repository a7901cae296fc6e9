using System.Text.Json;
using DiskSync.TestSupport;

namespace DiskSync.Cli.Tests.Commands;

/// <summary>What a user sees of a push that starts from a saved map, with real processes.</summary>
public sealed class WarmPushTests : IDisposable
{
    private readonly ScratchMount _mount = ScratchMount.Create(FileSystemKind.Tmpfs);
    private readonly string _image;

    public WarmPushTests()
    {
        _image = _mount.File("a.img");
        File.WriteAllBytes(_image, SampleImage.Noise(1, 3 << 20));
        Directory.CreateDirectory(_mount.File("d"));
    }

    public void Dispose() => _mount.Dispose();

    [Fact]
    public async Task The_report_says_what_the_push_rested_on_and_clean_knows_the_map()
    {
        await Task.Delay(TimeSpan.FromSeconds(2.1));
        DisksyncResult first = await RunAsync("push", _image, _mount.File("d/"));
        Assert.Contains("rested on       a scan of the source, because no map of it is saved", first.Output, StringComparison.Ordinal);
        DisksyncResult second = await RunAsync("push", _image, _mount.File("d/"));
        Assert.Contains("a.img: identical already, root ", second.Output, StringComparison.Ordinal);
        Assert.Matches("rested on       the source's map of [0-9-]+ [0-9:]+; 48 blocks read and equal on both sides", second.Output);

        JsonElement json = await JsonAsync("push", _image, _mount.File("d/"));
        Assert.True(json.GetProperty("identicalAlready").GetBoolean());
        Assert.Equal(48, json.GetProperty("auditedBlocks").GetInt32());
        Assert.False(json.TryGetProperty("scannedBecause", out _));
        JsonElement scanned = await JsonAsync("push", "--rescan", _image, _mount.File("d/"));
        Assert.Equal("--rescan asks for it", scanned.GetProperty("scannedBecause").GetString());
        Assert.False(scanned.TryGetProperty("mapSavedAt", out _));

        JsonElement kept = await JsonAsync("clean", "--left-overs");
        Assert.Equal(_image, Assert.Single(kept.GetProperty("savedMaps").EnumerateArray()).GetProperty("image").GetString());
        JsonElement removed = await JsonAsync("clean", _image);
        Assert.Equal(_image, Assert.Single(removed.GetProperty("removedMaps").EnumerateArray()).GetProperty("image").GetString());
        Assert.Empty(Directory.GetFileSystemEntries(_mount.File("state/maps")));
    }

    [Fact]
    public async Task Why_nothing_is_saved_is_said_and_the_map_of_an_image_that_is_gone_is_a_left_over()
    {
        using (new FileStream(_image, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            DisksyncResult open = await RunAsync("push", _image, _mount.File("d/"));
            Assert.Contains(
                "next time       the source is read again, because somebody has it open for writing", open.Output, StringComparison.Ordinal);
        }

        await Task.Delay(TimeSpan.FromSeconds(2.1));
        await RunAsync("push", _image, _mount.File("d/"));
        File.Delete(_image);
        JsonElement tidied = await JsonAsync("clean", "--left-overs");
        Assert.Single(tidied.GetProperty("removedMaps").EnumerateArray());
        Assert.Empty(tidied.GetProperty("savedMaps").EnumerateArray());
    }

    private async Task<JsonElement> JsonAsync(params string[] arguments) =>
        JsonDocument.Parse((await RunAsync([.. arguments, "--json"])).Output).RootElement;

    private async Task<DisksyncResult> RunAsync(params string[] arguments)
    {
        DisksyncResult result = await DisksyncProcess.RunAsync([.. arguments, "--state", _mount.File("state")]);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result;
    }
}
