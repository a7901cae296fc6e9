namespace DiskSync.Handoff.Hypervisors;

/// <summary>A way to handle machines at either end of a migration: the user's commands, or QEMU over QMP.</summary>
/// <remarks>A machine is found again by what the journal keeps of it, so that a later process can let it go on after a crash. Thread safe.</remarks>
public interface IHypervisor
{
    /// <summary>The most that one step of a machine may take.</summary>
    TimeSpan Limit { get; }

    /// <summary>The machine at the source that a journal's record stands for.</summary>
    /// <param name="record">As <see cref="ISourceMachine.Record"/> was; empty for a machine that is let alone.</param>
    /// <exception cref="Engine.DiskSyncException">The record cannot be understood.</exception>
    ISourceMachine Source(string record);

    /// <summary>The machine at the destination that a resume text stands for.</summary>
    /// <param name="resume">What <see cref="Hooks.HookCatalog"/> made of a peer's text; empty for a machine that is let alone.</param>
    /// <exception cref="Engine.DiskSyncException">The text cannot be understood.</exception>
    IDestinationMachine Destination(string resume);
}
