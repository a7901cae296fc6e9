using System.Diagnostics;
using DiskSync.Handoff.Hooks;
using DiskSync.Handoff.Hypervisors;
using DiskSync.Handoff.Hypervisors.Commands;
using DiskSync.TestSupport;

namespace DiskSync.Handoff.Tests.Hypervisors;

/// <summary>A process on each side, stopped and continued by signals, as user's commands would do it with a machine.</summary>
internal sealed class CommandMachineLab : IMachineLab
{
    private readonly TempFolder _folder = new();
    private readonly CommandHypervisor _hypervisor = new(new HookRunner(TimeSpan.FromSeconds(20)));
    private Process? _near;
    private Process? _far;

    public ISourceMachine Source => _hypervisor.Machine(Stop(_near!), Continue(_near!));

    public IDestinationMachine Destination => _hypervisor.Destination(Continue(_far!));

    public bool TakesMemory => false;

    public Task StartAsync()
    {
        if (_near is null or { HasExited: true })
        {
            _near = Tool.Start("coreutils", "sleep", "600");
        }

        _far = Tool.Start("coreutils", "sleep", "600");
        Tool.Run("dash", "sh", "-c", Stop(_far));
        return Task.CompletedTask;
    }

    public ISourceMachine FromJournal(string record) => _hypervisor.Source(record);

    public Task<bool> RunsAtSourceAsync() => RunsAsync(_near!);

    public Task<bool> RunsAtDestinationAsync() => RunsAsync(_far!);

    public void KillSource() => Kill(_near);

    public void KillDestination() => Kill(_far);

    public void Dispose()
    {
        Kill(_near);
        Kill(_far);
        _folder.Dispose();
    }

    // A command of a guest that is gone must not succeed: kill says so by its exit code. A process stops a moment after it was told to.
    private static string Stop(Process process) =>
        $"kill -STOP {process.Id} && while ! grep -q '^State:.T' /proc/{process.Id}/status; do sleep 0.01; done";

    private static string Continue(Process process) => $"kill -CONT {process.Id}";

    private static Task<bool> RunsAsync(Process process)
    {
        if (process.HasExited)
        {
            return Task.FromResult(false);
        }

        string stat = File.ReadAllText($"/proc/{process.Id}/stat");
        return Task.FromResult(!stat[stat.LastIndexOf(')')..].StartsWith(") T", StringComparison.Ordinal));
    }

    private static void Kill(Process? process)
    {
        if (process is { HasExited: false })
        {
            process.Kill();
            process.WaitForExit();
        }
    }
}
