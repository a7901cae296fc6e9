using DiskSync.Handoff.Hypervisors;

namespace DiskSync.Handoff.Tests.Hypervisors;

/// <summary>One real machine at a source and the place for it at a destination, for <see cref="HypervisorConformance"/>.</summary>
public interface IMachineLab : IDisposable
{
    /// <summary>Starts the machine at the source and makes the destination ready to take it.</summary>
    Task StartAsync();

    /// <summary>The machine at the source as whoever migrates it has it.</summary>
    ISourceMachine Source { get; }

    /// <summary>The same one as a later process finds it by what the journal keeps.</summary>
    ISourceMachine FromJournal(string record);

    /// <summary>The machine at the destination, each time as another process has it.</summary>
    IDestinationMachine Destination { get; }

    /// <summary>Whether it runs at the source.</summary>
    Task<bool> RunsAtSourceAsync();

    /// <summary>Whether it runs at the destination.</summary>
    Task<bool> RunsAtDestinationAsync();

    /// <summary>Ends what stands for the machine at the source, as a crash does.</summary>
    void KillSource();

    /// <summary>Ends what stands for the machine at the destination, as a crash does.</summary>
    void KillDestination();

    /// <summary>Whether the destination takes anything in before it resumes, and so can be found missing earlier.</summary>
    bool TakesMemory { get; }
}
