using DiskSync.Handoff.Hooks;
using DiskSync.Handoff.Hypervisors;

namespace DiskSync.Handoff.Tests.World;

/// <summary>The machine of a simulated host, as a text handles it.</summary>
internal sealed class SimMachine(SimHost host, SimProcess process, string text) : ISourceMachine, IDestinationMachine
{
    public string Record => text;

    public string TimesKey => text;

    public bool CopiesMemory => false;

    public Task CheckAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task CompleteAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task CheckHeldAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<MachineResult> PauseAsync(HookContext context, CancellationToken cancellationToken) => RunAsync(GuestAction.Pause, context);

    public Task<MachineResult> UnpauseAsync(HookContext context) => RunAsync(GuestAction.Unpause, context);

    public Task<MachineResult> ResumeAsync(HookContext context) => RunAsync(GuestAction.Resume, context);

    private Task<MachineResult> RunAsync(GuestAction action, HookContext context)
    {
        Assert.Equal(action, context.Action);
        process.Step($"before {action}");
        if (text.StartsWith("fail", StringComparison.Ordinal) || host.World.HookFails(action))
        {
            return Task.FromResult(MachineResult.Failed("failed on purpose"));
        }

        host.GuestRuns = action != GuestAction.Pause;
        host.World.Tick($"{host.Name}: {action}");
        process.Step($"after {action}");
        return Task.FromResult(text == "pause-then-hang" ? MachineResult.Failed("hangs") : MachineResult.Done);
    }
}
