using System.Diagnostics;
using DiskSync.Handoff.Hooks;

namespace DiskSync.Handoff.Hypervisors.Commands;

/// <summary>A machine that the user's commands pause and unpause; its memory is their business.</summary>
/// <remarks>
/// Before it is unpaused, a pause command of the same attempt that outlived a killed disksync is waited for, at most its
/// time limit, and then ended: it would pause the machine again. A command is never cut off but by its time limit:
/// one that ended half way would leave a machine that nobody knows about.
/// </remarks>
internal sealed class CommandSourceMachine(HookRunner runner, string pause, string unpause) : ISourceMachine
{
    public string Record => unpause;

    public string TimesKey => pause;

    public bool CopiesMemory => false;

    public Task CheckAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task<MachineResult> PauseAsync(HookContext context, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        return pause.Length == 0
            ? MachineResult.Done
            : MachineResult.Of("the pause command", await runner.RunAsync(pause, context.ToEnvironment())) with { Since = start };
    }

    public Task CompleteAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task<MachineResult> UnpauseAsync(HookContext context)
    {
        _ = await LeftOverHooks.WaitUntilGoneAsync(context.Attempt, GuestAction.Pause, runner.Limit);
        return unpause.Length == 0
            ? MachineResult.Done
            : MachineResult.Of("its unpause command", await runner.RunAsync(unpause, context.ToEnvironment()));
    }
}
