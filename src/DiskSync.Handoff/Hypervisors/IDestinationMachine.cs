using DiskSync.Handoff.Hooks;

namespace DiskSync.Handoff.Hypervisors;

/// <summary>The machine at the destination: it waits until this host owns its disks, and runs then.</summary>
/// <remarks>Not thread safe.</remarks>
public interface IDestinationMachine
{
    /// <summary>Before anything is copied: whether the machine is ready to arrive; from here on it does not start by itself.</summary>
    /// <exception cref="Engine.DiskSyncException">It is not; the message says why.</exception>
    Task CheckAsync(CancellationToken cancellationToken);

    /// <summary>Before this host promises to take over: whether all that the machine needs, but for its disks, is here and held.</summary>
    /// <remarks>Waits a few seconds for what is still being taken in.</remarks>
    /// <exception cref="Engine.DiskSyncException">It is not, or the machine runs already.</exception>
    Task CheckHeldAsync(CancellationToken cancellationToken);

    /// <summary>Lets the machine run, once this host owns; may be called again after a failure or a crash, when it may run already.</summary>
    /// <param name="context">What the machine is told.</param>
    Task<MachineResult> ResumeAsync(HookContext context);
}
