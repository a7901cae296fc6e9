using System.Diagnostics;
using System.Globalization;
using DiskSync.TestSupport;

namespace DiskSync.Interop.Tests;

/// <summary>Real processes, killed; DISKSYNC_KILLS says how often (tools/killtest/run).</summary>
public sealed class KillTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly LocalShell _shell;
    private readonly string _image;
    private readonly string _copy;

    public KillTests()
    {
        _shell = new LocalShell(_folder);
        _image = _folder.File("vm.img");
        _copy = _folder.File("far/vm.img");
        Directory.CreateDirectory(_folder.File("far"));
        SampleImages.Write(_image);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_push_whose_source_or_receiver_is_killed_at_any_moment_is_completed_by_the_same_command()
    {
        int kills = int.Parse(Environment.GetEnvironmentVariable("DISKSYNC_KILLS") ?? "10", CultureInfo.InvariantCulture);
        Random dice = new(kills);
        for (int i = 0; i < kills; i++)
        {
            SampleImages.ChangeSome(_image, i, 200);
            bool killReceiver = dice.Next(2) == 0;
            using (DisksyncProcess push = Start(limit: "8M"))
            {
                await StagedAsync(push, dice.Next(9 << 20));
                if (killReceiver && !push.Process.HasExited)
                {
                    Kill(_shell.ReceiverId);
                    DisksyncResult failed = await push.WaitAsync();
                    Assert.True(failed.ExitCode is 5 or 0, failed.ToString());
                }
                else if (!push.Process.HasExited)
                {
                    push.Signal(9);
                    await push.WaitAsync();
                }
            }

            using DisksyncProcess again = Start(limit: null);
            DisksyncResult result = await again.WaitAsync();
            Assert.True(result.ExitCode == 0, $"kill {i} of the {(killReceiver ? "receiver" : "source")}: {result}");
            Tool.Run("diffutils", "cmp", _image, _copy);
            Assert.Equal(["vm.img", "vm.img.map", "vm.img.seal"], Directory.GetFiles(_folder.File("far")).Select(Path.GetFileName).Order());
            File.Delete(_copy);
        }
    }

    [Fact]
    public async Task Ctrl_C_ends_a_push_with_code_9_says_how_to_go_on_and_the_same_command_goes_on()
    {
        using DisksyncProcess push = Start(limit: "2M");
        await StagedAsync(push, 2 << 20);
        push.Signal(2);
        DisksyncResult stopped = await push.WaitAsync();
        Assert.True(stopped.ExitCode == 9, stopped.ToString());
        Assert.Contains("same command again", stopped.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(_copy));

        using DisksyncProcess again = Start(limit: null);
        DisksyncResult result = await again.WaitAsync();
        Assert.True(result.ExitCode == 0, result.ToString());
        Tool.Run("diffutils", "cmp", _image, _copy);
        long sent = result.Json.GetProperty("bytesSent").GetInt64();
        Assert.True(sent < 8 << 20, $"{sent} bytes were sent again");
        DisksyncResult verified = await DisksyncProcess.RunAsync("verify", _image, _copy);
        Assert.True(verified.ExitCode == 0, verified.ToString());
    }

    private DisksyncProcess Start(string? limit) => DisksyncProcess.Start(
    [
        "push", _image, $"far:{_copy}", "--json", "--compress", "never", "--base", "none",
        "--rsh", _shell.Path, "--remote-path", LocalShell.RemotePath, "--state", _folder.File("state"),
        .. limit is null ? Array.Empty<string>() : ["--limit", limit],
    ]);

    /// <summary>Waits until so many bytes are staged, or the push has ended.</summary>
    private async Task StagedAsync(DisksyncProcess push, long bytes)
    {
        string staged = _copy + ".partial";
        while (!push.Process.HasExited && (!File.Exists(staged) || Allocated(staged) < bytes))
        {
            await Task.Delay(20);
        }
    }

    private static long Allocated(string path)
    {
        (int code, string output, _) = Tool.TryRun("coreutils", "stat", "-c", "%b", path);
        return code == 0 ? 512 * long.Parse(output, CultureInfo.InvariantCulture) : long.MaxValue;
    }

    private static void Kill(int process)
    {
        try
        {
            using Process receiver = Process.GetProcessById(process);
            receiver.Kill();
        }
        catch (ArgumentException)
        {
            // It has ended already.
        }
    }
}
