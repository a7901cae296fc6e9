using DiskSync.Linux;
using DiskSync.TestSupport;
using Xunit.Abstractions;

namespace DiskSync.Interop.Tests;

/// <summary>Pushes between real processes, killed; tools/killtest/run kills more of them.</summary>
public sealed class KillTests : IDisposable
{
    /// <summary>What <see cref="SampleImages"/> has in blocks that are not zero.</summary>
    private const int ImageBytes = 10 << 20;

    /// <summary>The frames around the blocks, and a block that the kill tore and that is sent whole.</summary>
    private const int Overhead = 128 << 10;

    private static readonly int Kills = KillSettings.Kills;

    private readonly ITestOutputHelper _output;
    private readonly TempFolder _folder = new();
    private readonly LocalShell _shell;
    private readonly string _image;
    private readonly string _copy;

    public KillTests(ITestOutputHelper output)
    {
        _output = output;
        _shell = new LocalShell(_folder, _folder.File("far-state"));
        _image = _folder.File("vm.img");
        _copy = _folder.File("far/vm.img");
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("source")]
    [InlineData("receiver")]
    public async Task A_push_that_was_killed_at_any_moment_is_completed_by_the_same_command_and_sends_nothing_staged_again(string side)
    {
        int cutOff = 0;
        for (int i = 0; i < Kills; i++)
        {
            KillMoment moment = KillMoment.Draw(KillSettings.FirstSeed + i, ImageBytes);
            string what = $"{side} killed, {moment}";
            _output.WriteLine(what);
            long changed = await ArrangeAsync(moment);
            cutOff += await KillAsync(moment, side) ? 1 : 0;

            AssertOldImageUnharmed(what, moment);
            string held = File.Exists(_copy + ".partial") ? _copy + ".partial" : _copy;
            long lacking = Math.Min(changed, StagedBlocks.Lacking(_image, held));
            using DisksyncProcess again = Start(limit: null);
            DisksyncResult result = await again.WaitAsync();
            Assert.True(result.ExitCode == 0, $"{what}: {result}");
            Tool.Run("diffutils", "cmp", _image, _copy);
            Assert.Equal(["vm.img", "vm.img.map", "vm.img.seal"], Directory.GetFiles(_folder.File("far")).Select(Path.GetFileName).Order());
            long sent = result.Json.GetProperty("bytesSent").GetInt64();
            _output.WriteLine($"    {lacking} bytes were lacking, {sent} were sent");
            Assert.True(sent <= lacking + Overhead, $"{what}: {sent} bytes were sent for {lacking} that were lacking");
        }

        _output.WriteLine($"{Kills} kills of the {side}, {cutOff} of them before the push had ended");
        Assert.True(Kills < 4 || 2 * cutOff >= Kills, $"only {cutOff} of {Kills} pushes were cut off: too few to prove anything");
    }

    [Fact]
    public async Task Ctrl_C_ends_a_push_with_code_9_says_how_to_go_on_and_the_same_command_goes_on()
    {
        await ArrangeAsync(new KillMoment(1, HasOld: false, 0, TimeSpan.Zero));
        using DisksyncProcess push = Start(limit: "2M");
        await StagedAsync(push, 2 << 20);
        push.Signal(2);
        DisksyncResult stopped = await push.WaitAsync();
        Assert.True(stopped.ExitCode == 9, stopped.ToString());
        Assert.Contains("same command again", stopped.JsonError.GetProperty("advice").GetString(), StringComparison.Ordinal);
        Assert.False(File.Exists(_copy));
        long lacking = StagedBlocks.Lacking(_image, _copy + ".partial");
        Assert.True(lacking <= ImageBytes - (2 << 20), $"{lacking} bytes are lacking: what was staged is gone");

        using DisksyncProcess again = Start(limit: null);
        DisksyncResult result = await again.WaitAsync();
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.True(result.Json.GetProperty("resumed").GetBoolean());
        Tool.Run("diffutils", "cmp", _image, _copy);
        long sent = result.Json.GetProperty("bytesSent").GetInt64();
        Assert.True(sent <= lacking + Overhead, $"{sent} bytes were sent for {lacking} that were lacking");
    }

    private DisksyncProcess Start(string? limit)
    {
        _shell.Forget();
        return DisksyncProcess.Start(
        [
            "push", _image, $"far:{_copy}", "--json", "--compress", "never",
            "--rsh", _shell.Path, "--remote-path", LocalShell.RemotePath, "--state", _folder.File("state"),
            .. limit is null ? Array.Empty<string>() : ["--limit", limit],
        ]);
    }

    /// <summary>Makes the image, and the destination what the moment wants.</summary>
    /// <returns>The bytes that differ between them: what is sent at most, and sent again if nothing of it was staged.</returns>
    private async Task<long> ArrangeAsync(KillMoment moment)
    {
        if (Directory.Exists(_folder.File("far")))
        {
            Directory.Delete(_folder.File("far"), recursive: true);
        }

        Directory.CreateDirectory(_folder.File("far"));
        SampleImages.Write(_image);
        if (!moment.HasOld)
        {
            File.Delete(_folder.File("old.img"));
            return ImageBytes;
        }

        using DisksyncProcess push = Start(limit: null);
        DisksyncResult result = await push.WaitAsync();
        Assert.True(result.ExitCode == 0, result.ToString());
        File.Copy(_copy, _folder.File("old.img"), overwrite: true);
        return SampleImages.ChangeSome(_image, moment.Seed, 150);
    }

    /// <summary>Runs a push as far as the moment and kills a side.</summary>
    /// <returns>Whether the push was still running.</returns>
    private async Task<bool> KillAsync(KillMoment moment, string side)
    {
        using DisksyncProcess push = Start(limit: moment.HasOld ? "1M" : "8M");
        await StagedAsync(push, moment.StagedBytes);
        await Task.Delay(moment.Delay);
        await ReceiverAsync(push);
        bool running = !push.Process.HasExited;
        OtherProcess.Kill(side == "source" ? push.Process.Id : _shell.ReceiverId ?? push.Process.Id);
        DisksyncResult ended = await push.WaitAsync();
        if (side == "receiver")
        {
            Assert.True(ended.ExitCode is 5 or 0, ended.ToString());
        }

        // A receiver whose source was killed makes durable what has arrived; it is measured when that is done.
        if (_shell.ReceiverId is { } receiver)
        {
            await Eventually.TrueAsync(() => OtherProcess.HasEnded(receiver), "the receiver ends after its source");
        }

        return running && ended.ExitCode != 0;
    }

    /// <summary>Waits until there is a receiver to be killed, or the push has ended.</summary>
    private Task ReceiverAsync(DisksyncProcess push) =>
        Eventually.TrueAsync(() => _shell.ReceiverId is not null || push.Process.HasExited, "the receiver starts");

    /// <summary>Waits until so many bytes are staged, or the push has ended.</summary>
    private Task StagedAsync(DisksyncProcess push, long bytes) => Eventually.TrueAsync(
        () => bytes < 0
            || FileStat.IfExists(_copy + ".partial")?.AllocatedBytes >= bytes
            || push.Process.HasExited
            || (!File.Exists(_folder.File("old.img")) && File.Exists(_copy)),
        $"{bytes} bytes are staged");

    private void AssertOldImageUnharmed(string what, KillMoment moment)
    {
        if (!moment.HasOld)
        {
            return;
        }

        bool isOld = Tool.TryRun("diffutils", "cmp", "-s", _folder.File("old.img"), _copy).Code == 0;
        bool isNew = Tool.TryRun("diffutils", "cmp", "-s", _image, _copy).Code == 0;
        Assert.True(isOld || isNew, $"{what}: the image at the destination is neither the old nor the new one");
    }
}
