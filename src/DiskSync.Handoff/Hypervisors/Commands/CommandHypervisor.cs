using DiskSync.Handoff.Hooks;

namespace DiskSync.Handoff.Hypervisors.Commands;

/// <summary>Machines that are paused, unpaused and resumed by the user's commands.</summary>
/// <remarks>The journal keeps the unpause command. Thread safe.</remarks>
public sealed class CommandHypervisor : IHypervisor
{
    private readonly HookRunner _runner;

    /// <summary>Runs them with the given runner.</summary>
    public CommandHypervisor(HookRunner runner) => _runner = runner;

    /// <inheritdoc/>
    public TimeSpan Limit => _runner.Limit;

    /// <summary>A machine that can be paused, too.</summary>
    /// <param name="pause">The command; empty for a machine that does not run.</param>
    /// <param name="unpause">The command that undoes it; empty for none.</param>
    public ISourceMachine Machine(string pause, string unpause) => new CommandSourceMachine(_runner, pause, unpause);

    /// <inheritdoc/>
    public ISourceMachine Source(string record) => Machine(string.Empty, record);

    /// <inheritdoc/>
    public IDestinationMachine Destination(string resume) => new CommandDestinationMachine(_runner, resume);
}
