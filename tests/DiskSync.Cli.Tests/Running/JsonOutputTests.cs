using System.Text.Json;
using DiskSync.Cli.Commands;
using DiskSync.Cli.Tests.Commands;
using DiskSync.TestSupport;

namespace DiskSync.Cli.Tests.Running;

/// <summary>The rules of <c>--json</c> and <c>--quiet</c>, for every command, whether it succeeds or fails.</summary>
public sealed class JsonOutputTests : ImageFiles
{
    [Fact]
    public async Task Every_command_prints_one_object_and_json_lines_only()
    {
        string state = Folder.File("state");
        string delta = Folder.File("d");
        string target = Folder.Write("target.img", Old);
        string copy = Folder.File("copy.img");
        string[][] commands =
        [
            ["diff", BasePath, ImagePath, "--extents"],
            ["map", ImagePath, "-o", Folder.File("m")],
            ["verify", ImagePath, Folder.File("m")],
            ["delta", BasePath, ImagePath, "-o", delta],
            ["apply", delta, target],
            ["push", ImagePath, copy, "--state", state],
            ["migrate", target, Folder.File("moved.img"), "--max-downtime", "60", "--state", state],
            ["keygen", "--keys", Folder.File("keys")],
            ["trust", "--list", "--keys", Folder.File("keys")],
            ["owner", ImagePath, "--state", state],
            ["status", "--state", state, "--root", Folder.Path],
            ["clean", "--state", state, "--root", Folder.Path],
            ["completion", "fish"],
            ["manual"],
        ];
        foreach (string[] command in commands)
        {
            DisksyncResult run = await DisksyncProcess.RunAsync([.. command, "--json"]);
            Assert.True(run.ExitCode is 0 or 1, run.ToString());
            Assert.Equal(JsonValueKind.Object, run.Json.ValueKind);
            Assert.All(EventsOf(run), name => Assert.NotEqual("error", name));
        }

        // Those that serve or need a run; their objects are in the tests of what they do.
        string[] tested = [.. commands.Select(c => c[0]), "receive", "export", "tail", "abort"];
        Assert.Equal(CommandCatalog.All.Select(entry => entry.Name).Order(), tested.Order());
    }

    [Fact]
    public async Task Every_command_that_fails_prints_nothing_but_json_lines_of_which_the_error_is_the_last()
    {
        string none = Folder.File("none");
        string[][] commands =
        [
            ["diff", none, ImagePath],
            ["map", none],
            ["verify", none, ImagePath],
            ["delta", none, ImagePath, "-o", none],
            ["apply", none, ImagePath],
            ["push", none, ImagePath],
            ["push", ImagePath, "host:/x/y", "--rsh", Talker()],
            ["migrate", none, ImagePath],
            ["receive", "--listen", $"unix:{none}", "--root", none],
            ["receive", "--listen", "tcp:nowhere", "--root", Folder.Path],
            ["export", none, "--listen", $"unix:{Folder.File("s")}"],
            ["export", ImagePath, "--listen", "tcp:127.0.0.1:0"],
            ["keygen", "--keys", ImagePath],
            ["trust", "--remove", "nobody", "--keys", Folder.File("keys")],
            ["push", ImagePath, "disksync://127.0.0.1:1/x", "--insecure"],
            ["owner"],
            ["status", "--limit", "much"],
            ["abort", "push-0"],
            ["clean", none],
            ["completion", "tcsh"],
            ["manual", "--nonsense"],
            ["nonsense"],
        ];
        foreach (string[] command in commands)
        {
            DisksyncResult run = await DisksyncProcess.RunAsync([.. command, "--json"]);
            Assert.True(run.ExitCode is >= 2 and <= 9, run.ToString());
            Assert.Empty(run.Output);
            Assert.Equal("error", EventsOf(run)[^1]);
            Assert.Equal(run.ExitCode, run.JsonError.GetProperty("exitCode").GetInt32());
        }
    }

    [Fact]
    public async Task Quiet_leaves_the_error_and_nothing_else()
    {
        DisksyncResult done = await DisksyncProcess.RunAsync("push", ImagePath, Folder.File("copy.img"), "--quiet");
        DisksyncResult failed = await DisksyncProcess.RunAsync("push", ImagePath, "host:/x/y", "--rsh", Talker(), "--quiet");

        Assert.Equal((0, string.Empty, string.Empty), (done.ExitCode, done.Output, done.Error));
        Assert.Equal((5, string.Empty), (failed.ExitCode, failed.Output));
        Assert.StartsWith("disksync: connection to host lost", failed.Error, StringComparison.Ordinal);
        Assert.Contains("no route", failed.Error, StringComparison.Ordinal);
    }

    private static string[] EventsOf(DisksyncResult run) =>
        [.. run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("event").GetString()!)];

    /// <summary>A remote shell that has something to say before it fails.</summary>
    private string Talker()
    {
        string shell = Folder.Write("shell", "#!/bin/sh\necho 'no route' >&2\nexit 255\n"u8);
        File.SetUnixFileMode(shell, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return shell;
    }
}
