using DiskSync.Handoff.Hooks;
using DiskSync.Handoff.Hypervisors.Commands;
using DiskSync.Handoff.Hypervisors.Qemu;

namespace DiskSync.Handoff.Hypervisors;

/// <summary>The hypervisors of this host, told apart by the text: <c>qmp:SOCKET</c> is QEMU's, everything else a command.</summary>
/// <remarks>The one place that decides it, for what a user types, a peer asks and a journal keeps. Thread safe.</remarks>
public sealed class HostHypervisor : IHypervisor
{
    private readonly CommandHypervisor _commands;

    /// <summary>Puts both over one time limit.</summary>
    /// <param name="limit">The most that one step may take.</param>
    public HostHypervisor(TimeSpan limit)
    {
        Limit = limit;
        _commands = new CommandHypervisor(new HookRunner(limit));
        Qemu = new QemuHypervisor(limit);
    }

    /// <inheritdoc/>
    public TimeSpan Limit { get; }

    /// <summary>The QEMU processes.</summary>
    public QemuHypervisor Qemu { get; }

    /// <inheritdoc/>
    public ISourceMachine Source(string record) => Of(record).Source(record);

    /// <inheritdoc/>
    public IDestinationMachine Destination(string resume) => Of(resume).Destination(resume);

    /// <summary>A machine that the user's commands pause and unpause.</summary>
    public ISourceMachine Commanded(string pause, string unpause) => _commands.Machine(pause, unpause);

    private IHypervisor Of(string text) => QmpAddress.IsOne(text) ? Qemu : _commands;
}
