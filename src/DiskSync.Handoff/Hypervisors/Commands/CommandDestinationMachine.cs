using DiskSync.Handoff.Hooks;

namespace DiskSync.Handoff.Hypervisors.Commands;

/// <summary>A machine that a command resumes; what holds it until then is its operator's business.</summary>
internal sealed class CommandDestinationMachine(HookRunner runner, string resume) : IDestinationMachine
{
    public Task CheckAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task CheckHeldAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task<MachineResult> ResumeAsync(HookContext context) => resume.Length == 0
        ? MachineResult.Done
        : MachineResult.Of("its resume command", await runner.RunAsync(resume, context.ToEnvironment()));
}
