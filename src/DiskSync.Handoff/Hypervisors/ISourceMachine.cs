using DiskSync.Handoff.Hooks;

namespace DiskSync.Handoff.Hypervisors;

/// <summary>The machine at the source: it is paused, its memory is brought to the destination where that is part of the move, and it goes on where the attempt is called off.</summary>
/// <remarks>
/// Order: <see cref="CheckAsync"/>, then (PAUSED is durable) <see cref="PauseAsync"/>, then <see cref="CompleteAsync"/> before
/// the hand-over begins. <see cref="UnpauseAsync"/> may follow any of them, a crash of this process or of the hypervisor
/// included, and may run twice. Once the destination owns, the machine stays paused; nothing here ever removes it. Not thread safe.
/// </remarks>
public interface ISourceMachine
{
    /// <summary>What the journal keeps, so that a later process finds the machine again and can let it go on.</summary>
    string Record { get; }

    /// <summary>What the time of a pause is remembered under for the next forecast; empty where a pause does nothing.</summary>
    string TimesKey { get; }

    /// <summary>Whether <see cref="PauseAsync"/> copies the memory while the machine runs, and pauses it at the end of that.</summary>
    bool CopiesMemory { get; }

    /// <summary>Whether the machine can be moved; changes nothing.</summary>
    /// <exception cref="Engine.DiskSyncException">It cannot; the message says why.</exception>
    Task CheckAsync(CancellationToken cancellationToken);

    /// <summary>Pauses the machine: when this succeeds it does not run and none of its writes is under way.</summary>
    /// <param name="context">What the machine is told.</param>
    /// <param name="cancellationToken">Ends the copy of memory; a step that does not take long is not cut off.</param>
    /// <returns>How it went; a machine whose pause failed may be paused all the same.</returns>
    /// <exception cref="OperationCanceledException">It was stopped; the machine may be paused.</exception>
    Task<MachineResult> PauseAsync(HookContext context, CancellationToken cancellationToken);

    /// <summary>Brings what is left of the memory to the destination, where memory moves: it is complete there when this returns.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="Engine.DiskSyncException">It could not be completed; the machine is still paused.</exception>
    Task CompleteAsync(CancellationToken cancellationToken);

    /// <summary>Lets the machine go on here, whatever state a crash has left it in; it may run already.</summary>
    /// <param name="context">What the machine is told.</param>
    Task<MachineResult> UnpauseAsync(HookContext context);
}
