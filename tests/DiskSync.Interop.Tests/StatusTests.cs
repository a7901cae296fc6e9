using System.Diagnostics;
using System.Text.Json;
using DiskSync.Linux;
using DiskSync.TestSupport;

namespace DiskSync.Interop.Tests;

/// <summary><c>disksync status</c> and <c>disksync abort</c> beside pushes that run.</summary>
public sealed class StatusTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly string _image;
    private readonly string _copy;

    public StatusTests()
    {
        _image = _folder.File("vm.img");
        _copy = _folder.File("far/vm.img");
        Directory.CreateDirectory(_folder.File("far"));
        SampleImages.Write(_image);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Status_shows_a_running_push_and_what_it_stages_and_a_new_limit_lets_it_end_at_once()
    {
        // At this rate it would take a quarter of an hour.
        using DisksyncProcess push = await StartSlowAsync("10K");
        string id = $"push-{push.Process.Id}";
        JsonElement run = await RunAsync(id, r => r.GetProperty("phase").GetString() == "bulk-copy");
        Assert.Equal("push", run.GetProperty("command").GetString());
        Assert.True(run.GetProperty("alive").GetBoolean());
        Assert.Equal(push.Process.Id, run.GetProperty("pid").GetInt32());
        Assert.Equal(_image, Assert.Single(run.GetProperty("images").EnumerateArray()).GetString());
        Assert.Equal(_copy, run.GetProperty("destination").GetString());
        Assert.Equal(10 << 10, run.GetProperty("limitBytesPerSecond").GetInt64());
        Assert.True(run.GetProperty("bytesTotal").GetInt64() > 0);
        JsonElement staged = Assert.Single((await StatusAsync()).GetProperty("staged").EnumerateArray());
        Assert.Equal(_copy, staged.GetProperty("image").GetString());
        Assert.Equal("resumable", staged.GetProperty("kind").GetString());
        Assert.True(staged.GetProperty("inUse").GetBoolean());

        JsonElement changed = await StatusAsync("--run", id, "--limit", "1G");
        Assert.Single(changed.GetProperty("runs").EnumerateArray());
        DisksyncResult pushed = await push.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.True(pushed.ExitCode == 0, pushed.ToString());
        Tool.Run("diffutils", "cmp", _image, _copy);
        JsonElement after = await StatusAsync();
        Assert.Empty(after.GetProperty("runs").EnumerateArray());
        Assert.Empty(after.GetProperty("staged").EnumerateArray());
    }

    [Fact]
    public async Task A_limit_for_a_run_that_there_is_not_is_refused()
    {
        DisksyncResult result = await RunStatusAsync("--run", "push-1", "--limit", "1M");
        Assert.True(result.ExitCode == 2, result.ToString());
        Assert.Contains("push-1", result.JsonError.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Abort_stops_a_running_push_as_Ctrl_C_does_and_the_same_push_goes_on()
    {
        using DisksyncProcess push = await StartSlowAsync("1M");
        string id = $"push-{push.Process.Id}";
        await RunAsync(id, r => r.GetProperty("phase").GetString() == "bulk-copy");
        await Eventually.TrueAsync(() => Staged() > 1 << 20, "some of it is staged", push);
        JsonElement aborted = await AbortAsync(id);
        Assert.True(aborted.GetProperty("stopped").GetBoolean());
        Assert.Contains("run its command again", aborted.GetProperty("message").GetString(), StringComparison.Ordinal);
        DisksyncResult stopped = await push.WaitAsync();
        Assert.True(stopped.ExitCode == 9, stopped.ToString());

        JsonElement status = await StatusAsync();
        Assert.Empty(status.GetProperty("runs").EnumerateArray());
        JsonElement staged = Assert.Single(status.GetProperty("staged").EnumerateArray());
        Assert.Equal("resumable", staged.GetProperty("kind").GetString());
        Assert.False(staged.GetProperty("inUse").GetBoolean());
        Assert.Contains("proven by its journal", staged.GetProperty("state").GetString(), StringComparison.Ordinal);

        DisksyncResult again = await DisksyncProcess.RunAsync(Push(limit: null), null);
        Assert.True(again.ExitCode == 0, again.ToString());
        Assert.True(again.Json.GetProperty("resumed").GetBoolean());
        Tool.Run("diffutils", "cmp", _image, _copy);
    }

    [Fact]
    public async Task A_push_that_was_killed_is_shown_as_killed_until_abort_forgets_it()
    {
        using DisksyncProcess push = await StartSlowAsync("1M");
        string id = $"push-{push.Process.Id}";
        push.Signal(9);
        await push.WaitAsync();

        JsonElement run = await RunAsync(id, _ => true);
        Assert.False(run.GetProperty("alive").GetBoolean());
        DisksyncResult text = await DisksyncProcess.RunAsync("status", "--state", _folder.File("state"));
        Assert.Contains("was killed; run the same command again", text.Output, StringComparison.Ordinal);
        JsonElement aborted = await AbortAsync(id);
        Assert.False(aborted.GetProperty("stopped").GetBoolean());
        Assert.Empty((await StatusAsync()).GetProperty("runs").EnumerateArray());
        DisksyncResult unknown = await RunAbortAsync(id);
        Assert.True(unknown.ExitCode == 2, unknown.ToString());
    }

    private string[] Push(string? limit) =>
    [
        "push", _image, _copy, "--state", _folder.File("state"), "--json", "--compress", "never",
        .. limit is null ? Array.Empty<string>() : ["--limit", limit],
    ];

    private async Task<DisksyncProcess> StartSlowAsync(string limit)
    {
        DisksyncProcess push = DisksyncProcess.Start(Push(limit));
        await Eventually.FileAsync(_copy + ".partial", push);
        return push;
    }

    private long Staged() => FileStat.IfExists(_copy + ".partial")?.AllocatedBytes ?? 0;

    /// <summary>The run, as soon as its entry (written once a second) says what is asked for.</summary>
    private async Task<JsonElement> RunAsync(string id, Func<JsonElement, bool> says)
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            JsonElement run = Assert.Single((await StatusAsync()).GetProperty("runs").EnumerateArray());
            Assert.Equal(id, run.GetProperty("id").GetString());
            if (says(run))
            {
                return run;
            }

            Assert.True(Stopwatch.GetElapsedTime(start) < DisksyncProcess.DefaultTimeout, $"the run never said what is waited for: {run}");
        }
    }

    private async Task<JsonElement> StatusAsync(params string[] options)
    {
        DisksyncResult result = await RunStatusAsync(options);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.Json;
    }

    private Task<DisksyncResult> RunStatusAsync(params string[] options) => DisksyncProcess.RunAsync(
        ["status", "--root", _folder.File("far"), "--state", _folder.File("state"), "--json", .. options], null);

    private async Task<JsonElement> AbortAsync(string id)
    {
        DisksyncResult result = await RunAbortAsync(id);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.Json;
    }

    private Task<DisksyncResult> RunAbortAsync(string id) =>
        DisksyncProcess.RunAsync("abort", id, "--state", _folder.File("state"), "--json");
}
