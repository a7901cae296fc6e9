using DiskSync.Codecs;
using DiskSync.Handoff.Hooks;
using DiskSync.Handoff.Hypervisors;
using DiskSync.Handoff.Hypervisors.Commands;
using DiskSync.TestSupport;

namespace DiskSync.Handoff.Tests.Hooks;

/// <summary>Real processes.</summary>
public class HookRunnerTests
{
    private static readonly Dictionary<string, string> NoEnvironment = [];
    private readonly HookRunner _runner = new(TimeSpan.FromSeconds(30));

    [Fact]
    public async Task A_hook_whose_output_was_removed_under_it_has_still_succeeded()
    {
        using TempFolder folder = new();
        HookResult result = await new HookRunner(TimeSpan.FromSeconds(20), folder.Path)
            .RunAsync($"rm {folder.Path}/disksync-hook-*", new Dictionary<string, string>());
        Assert.True(result.Succeeded, result.Describe());
    }

    [Fact]
    public async Task What_killed_processes_left_of_their_hooks_output_is_removed_and_that_of_living_ones_is_not()
    {
        using TempFolder folder = new();
        string dead = folder.Write($"disksync-hook-{int.MaxValue}-0123", [1]);
        string living = folder.Write($"disksync-hook-{Environment.ProcessId}-0123", [1]);
        await new HookRunner(TimeSpan.FromSeconds(20), folder.Path).RunAsync("true", new Dictionary<string, string>());
        Assert.False(File.Exists(dead));
        Assert.True(File.Exists(living));
    }

    [Fact]
    public async Task A_hook_gets_the_attempt_in_its_environment()
    {
        Guid attempt = Guid.NewGuid();
        HookContext context = new(GuestAction.Resume, attempt, 7, ["/d/a b.img", "/d/c.img"], [Blake3.Hash("a"u8), Blake3.Hash("c"u8)]);

        MachineResult result = await new CommandHypervisor(_runner).Destination(
            "printf '%s|%s|%s|%s|%s|%s' \"$DISKSYNC_IMAGE\" \"$DISKSYNC_IMAGES\" $DISKSYNC_EPOCH $DISKSYNC_ROOT_HASH $DISKSYNC_ATTEMPT $DISKSYNC_SIDE").ResumeAsync(context);

        Assert.True(result.Succeeded);
        Assert.Equal($"/d/a b.img|/d/a b.img\n/d/c.img|7|{Blake3.Hash("a"u8)}|{attempt}|destination", result.Output);
    }

    [Fact]
    public async Task An_empty_command_is_nothing_to_do_and_a_success()
    {
        HookContext context = new(GuestAction.Pause, Guid.NewGuid(), 1, ["/a"], []);
        ISourceMachine machine = new CommandHypervisor(_runner).Machine(string.Empty, string.Empty);
        Assert.True((await machine.PauseAsync(context, CancellationToken.None)).Succeeded);
        Assert.True((await machine.UnpauseAsync(context)).Succeeded);
    }

    [Fact]
    public async Task The_exit_code_and_both_outputs_are_reported()
    {
        HookResult result = await _runner.RunAsync("echo out; echo err >&2; exit 42", NoEnvironment);

        Assert.Equal(42, result.ExitCode);
        Assert.False(result.Succeeded);
        Assert.Equal("out\nerr\n", result.Output);
        Assert.Equal("ended with exit code 42; it said last: err", result.Describe());
    }

    [Fact]
    public async Task Of_a_long_output_the_last_4_KiB_are_kept()
    {
        HookResult result = await _runner.RunAsync("i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done", NoEnvironment);

        Assert.Equal(HookRunner.KeptOutput, result.Output.Length);
        Assert.EndsWith("line 2999\n", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Standard_input_is_empty()
    {
        HookResult result = await _runner.RunAsync("cat; readlink /proc/self/fd/0", NoEnvironment);
        Assert.Equal("/dev/null\n", result.Output);
    }

    [Fact]
    public async Task A_hook_runs_in_a_session_and_process_group_of_its_own()
    {
        HookResult result = await _runner.RunAsync("echo $$ $(cut -d' ' -f5,6 /proc/$$/stat)", NoEnvironment);

        string[] ids = result.Output.Split(' ', '\n');
        Assert.Equal(ids[0], ids[1]);
        Assert.Equal(ids[0], ids[2]);
    }

    [Fact]
    public async Task At_the_time_limit_the_hook_and_all_its_children_are_killed()
    {
        using TempFolder folder = new();
        HookRunner runner = new(TimeSpan.FromMilliseconds(300));

        HookResult result = await runner.RunAsync(
            $"trap '' TERM; echo begun; (trap '' TERM; echo $BASHPID; while :; do sleep 0.05; done) & echo $! > {folder.File("child")}; wait; wait; wait; sleep 60", NoEnvironment);

        Assert.True(result.TimedOut);
        Assert.False(result.Succeeded);
        Assert.StartsWith("begun", result.Output, StringComparison.Ordinal);
        string child = (await File.ReadAllTextAsync(folder.File("child"))).Trim();
        Assert.True(IsGone(child), $"the hook's child {child} still runs");
    }

    [Fact]
    public async Task A_hook_that_not_even_SIGKILL_ends_is_reported_and_not_waited_for()
    {
        // A write to a frozen file system waits in the kernel, where no signal reaches it.
        using ScratchMount mount = ScratchMount.Create(FileSystemKind.Ext4, 64 << 20);
        Tool.Run("util-linux", "fsfreeze", "--freeze", mount.Path);
        try
        {
            HookResult result = await new HookRunner(TimeSpan.FromMilliseconds(300))
                .RunAsync($"echo begun; echo x > {mount.File("x")}", NoEnvironment).WaitAsync(TimeSpan.FromSeconds(30));
            Assert.True(result.TimedOut);
            Assert.Equal(-1, result.ExitCode);
            Assert.StartsWith("begun", result.Output, StringComparison.Ordinal);
            Assert.Contains("hangs in the kernel", result.Describe(), StringComparison.Ordinal);
        }
        finally
        {
            Tool.Run("util-linux", "fsfreeze", "--unfreeze", mount.Path);
        }
    }

    [Fact]
    public async Task A_hook_is_over_when_its_own_process_is_whatever_it_left_in_the_background()
    {
        using TempFolder folder = new();
        HookResult result = await _runner.RunAsync($"sleep 300 & echo $! > {folder.File("guest")}", NoEnvironment);

        string guest = (await File.ReadAllTextAsync(folder.File("guest"))).Trim();
        Assert.True(result.Succeeded);
        Assert.True(result.Elapsed < TimeSpan.FromSeconds(20));
        Assert.False(IsGone(guest), "the guest that the hook started was killed with it");
        System.Diagnostics.Process.GetProcessById(int.Parse(guest)).Kill();
    }

    [Fact]
    public async Task The_guest_is_unpaused_only_after_a_pause_command_that_outlived_its_disksync()
    {
        using TempFolder folder = new();
        CommandHypervisor hypervisor = new(_runner);
        HookContext pause = new(GuestAction.Pause, Guid.NewGuid(), 2, ["/a"], []);

        // Started and not awaited: as far as the second command can see, whoever started it may be dead.
        Task<MachineResult> paused = hypervisor.Machine(
            $"echo > {folder.File("begun")}; while [ ! -e {folder.File("go")} ]; do sleep 0.05; done; echo paused >> {folder.File("log")}", string.Empty)
            .PauseAsync(pause, CancellationToken.None);
        while (!File.Exists(folder.File("begun")))
        {
            await Task.Delay(20);
        }

        Task<MachineResult> unpaused = hypervisor.Source($"echo unpaused >> {folder.File("log")}").UnpauseAsync(pause with { Action = GuestAction.Unpause });
        await Task.WhenAny(unpaused, Task.Delay(500));
        Assert.False(unpaused.IsCompleted);
        await File.WriteAllTextAsync(folder.File("go"), string.Empty);
        await Task.WhenAll(paused, unpaused);

        Assert.Equal(["paused", "unpaused"], await File.ReadAllLinesAsync(folder.File("log")));
    }

    [Fact]
    public async Task A_pause_command_that_outlived_its_disksync_is_ended_at_the_time_limit()
    {
        using TempFolder folder = new();
        HookContext pause = new(GuestAction.Pause, Guid.NewGuid(), 2, ["/a"], []);
        Task<MachineResult> paused = new CommandHypervisor(_runner)
            .Machine($"echo > {folder.File("begun")}; sleep 300; echo > {folder.File("paused")}", string.Empty)
            .PauseAsync(pause, CancellationToken.None);
        while (!File.Exists(folder.File("begun")))
        {
            await Task.Delay(20);
        }

        MachineResult unpaused = await new CommandHypervisor(new HookRunner(TimeSpan.FromMilliseconds(300)))
            .Source("true").UnpauseAsync(pause with { Action = GuestAction.Unpause });
        Assert.True(unpaused.Succeeded);
        Assert.NotEqual(0, (await paused.WaitAsync(TimeSpan.FromSeconds(10))).ExitCode);
        Assert.False(File.Exists(folder.File("paused")));
    }

    [Fact]
    public async Task A_hook_that_cannot_be_started_is_a_failure_with_a_reason_and_no_exception()
    {
        HookResult result = await new HookRunner(TimeSpan.FromSeconds(5), "/nowhere/at/all").RunAsync("true", NoEnvironment);

        Assert.Equal(-1, result.ExitCode);
        Assert.StartsWith("the hook could not be started: ", result.Output, StringComparison.Ordinal);
    }

    // A killed child that nobody has waited for yet is a zombie: it runs no more.
    private static bool IsGone(string pid)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[stat.LastIndexOf(')')..].StartsWith(") Z", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return true;
        }
    }
}
