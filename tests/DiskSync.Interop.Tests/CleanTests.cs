using System.Text.Json;
using DiskSync.TestSupport;

namespace DiskSync.Interop.Tests;

/// <summary><c>disksync clean</c>: what it takes, what it asks for, and what it never takes.</summary>
public sealed class CleanTests : IDisposable
{
    private readonly HandOverLab _lab = new();

    public void Dispose() => _lab.Dispose();

    [Fact]
    public async Task What_could_be_resumed_is_kept_unless_its_image_is_named_and_left_overs_go_when_asked_for()
    {
        string leftOver = _lab.Moved("old.img.partial.map");
        await File.WriteAllBytesAsync(leftOver, [1]);
        await StageAsync("vm.img");
        string partial = _lab.Moved("vm.img.partial");

        // Nobody to ask, so nothing is taken.
        JsonElement listed = await CleanAsync();
        Assert.Empty(Images(listed, "removed"));
        Assert.Equal([_lab.Moved("old.img"), _lab.Moved("vm.img")], Images(listed, "kept"));

        JsonElement tidied = await CleanAsync("--left-overs");
        Assert.Equal([_lab.Moved("old.img")], Images(tidied, "removed"));
        Assert.Equal([_lab.Moved("vm.img")], Images(tidied, "kept"));
        Assert.False(File.Exists(leftOver));
        Assert.True(File.Exists(partial));

        JsonElement named = await CleanAsync(_lab.Moved("vm.img"));
        Assert.Equal([_lab.Moved("vm.img")], Images(named, "removed"));
        Assert.Empty(Directory.GetFileSystemEntries(_lab.Root));
        DisksyncResult nothing = await RunCleanAsync(_lab.Moved("vm.img"));
        Assert.True(nothing.ExitCode == 2, nothing.ToString());
    }

    [Theory]
    [InlineData("n", true)]
    [InlineData("", true)]
    [InlineData("y", false)]
    public async Task On_a_terminal_it_asks_and_only_a_yes_takes_a_copy(string answer, bool kept)
    {
        await StageAsync("vm.img");
        string command = $"{LocalShell.RemotePath} clean --root {_lab.Root} --state {_lab.FarState}";
        (int code, string output, string error) = Answer(command, answer);
        Assert.True(code == 0, output + error);
        Assert.Contains($"{_lab.Moved("vm.img.partial")}", output, StringComparison.Ordinal);
        Assert.Contains("remove it? [y/N]", output, StringComparison.Ordinal);
        Assert.Equal(kept, File.Exists(_lab.Moved("vm.img.partial")));
        Assert.Equal(kept, File.Exists(_lab.Moved("vm.img.partial.journal")));
    }

    [Fact]
    public async Task A_copy_that_a_run_is_writing_is_not_taken_even_by_name()
    {
        using DisksyncProcess push = StartPush("vm.img");
        await Eventually.FileAsync(_lab.Moved("vm.img.partial.journal"), push);
        DisksyncResult refused = await RunCleanAsync(_lab.Moved("vm.img"));
        Assert.True(refused.ExitCode == 6, refused.ToString());
        Assert.Contains("a run is writing it", refused.JsonError.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Contains("disksync abort", refused.JsonError.GetProperty("advice").GetString(), StringComparison.Ordinal);
        Assert.True(File.Exists(_lab.Moved("vm.img.partial")), refused.ToString());
        Assert.False(push.Process.HasExited);
    }

    [Fact]
    public async Task A_copy_that_is_promised_to_a_hand_over_is_refused_by_name_with_the_command_that_resolves_it()
    {
        string image = _lab.Image("vm.img");
        await _lab.StartReceiverAsync();
        await _lab.CedeAndKillAsync(image);
        await _lab.KillReceiverAsync();

        DisksyncResult refused = await RunCleanAsync(_lab.Moved("vm.img"));
        Assert.True(refused.ExitCode == 8, refused.ToString());
        Assert.Contains($"disksync owner {_lab.Moved("vm.img")}", refused.JsonError.GetProperty("advice").GetString(), StringComparison.Ordinal);
        Assert.Equal([_lab.Moved("vm.img")], Images(await CleanAsync("--left-overs"), "kept"));

        await _lab.StartReceiverAsync();
        DisksyncResult completed = await _lab.MigrateAsync([image], "--resume", "start");
        Assert.True(completed.ExitCode == 0, completed.ToString());
        _lab.AssertMoved(image);
    }

    [Fact]
    public async Task A_handed_over_image_goes_only_by_its_name()
    {
        string image = _lab.Image("vm.img");
        await _lab.StartReceiverAsync();
        DisksyncResult moved = await _lab.MigrateAsync([image], "--resume", "start");
        Assert.True(moved.ExitCode == 0, moved.ToString());
        string ceded = HandOverLab.Ceded(image);
        string[] here = ["--root", _lab.Folder.File("near"), "--state", _lab.NearState];

        Assert.Equal([image], Images((await DisksyncProcess.RunAsync(["clean", "--json", "--left-overs", .. here], null)).Json, "kept"));
        Assert.True(File.Exists(ceded));
        Assert.Equal([image], Images((await DisksyncProcess.RunAsync(["clean", "--json", image, .. here], null)).Json, "removed"));
        Assert.False(File.Exists(ceded));
    }

    private static IEnumerable<string?> Images(JsonElement report, string list) =>
        report.GetProperty(list).EnumerateArray().Select(c => c.GetProperty("image").GetString());

    /// <summary>Runs a command on a terminal of its own, which script(1) makes, and types an answer.</summary>
    private static (int Code, string Output, string Error) Answer(string command, string answer)
    {
        using System.Diagnostics.Process process =
            Tool.Start("bsdutils", "script", "--quiet", "--return", "--echo", "never", "--command", command, "/dev/null");
        process.StandardInput.WriteLine(answer);
        process.StandardInput.Flush();
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.GetAwaiter().GetResult());
    }

    /// <summary>Leaves a copy of an image at the receiver that a push could go on with.</summary>
    private async Task StageAsync(string name)
    {
        using DisksyncProcess push = StartPush(name);
        await Eventually.FileAsync(_lab.Moved(name + ".partial.journal"), push);
        push.Signal(9);
        await push.WaitAsync();
    }

    private DisksyncProcess StartPush(string name) => DisksyncProcess.Start(
        ["push", _lab.Image(name), _lab.Moved(name), "--state", _lab.NearState, "--limit", "10K"]);

    private async Task<JsonElement> CleanAsync(params string[] arguments)
    {
        DisksyncResult result = await RunCleanAsync(arguments);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.Json;
    }

    private Task<DisksyncResult> RunCleanAsync(params string[] arguments) => DisksyncProcess.RunAsync(
        ["clean", "--root", _lab.Root, "--state", _lab.FarState, "--json", .. arguments], null);
}
