using DiskSync.Engine.Replication;
using DiskSync.Handoff.Hypervisors;

namespace DiskSync.Handoff.Migration;

/// <summary>How a migration is to run.</summary>
public sealed record MigrationOptions
{
    /// <summary>The machine at the source whose disks move.</summary>
    public ISourceMachine Machine { get; init; } = NoMachine.Instance;

    /// <summary>The command, the hook's name or the <c>qmp:SOCKET</c> that resumes the guest at the destination.</summary>
    public string Resume { get; init; } = string.Empty;

    /// <summary>The longest downtime that is accepted; null for <see cref="ForecastModel.DefaultBudget"/>.</summary>
    public TimeSpan? MaxDowntime { get; init; }

    /// <summary>How long the destination is asked whether its guest runs, where the link broke while it was being resumed.</summary>
    public TimeSpan ResumePatience { get; init; } = TimeSpan.FromSeconds(90);

    /// <summary>The most that the machine's p99 of write latency may grow, as a multiple, where it writes faster than the link carries; null where its writes are never slowed.</summary>
    public double? MaxSlowdown { get; init; }

    /// <summary>Serves what is missing at the destination where the forecast does not fit; null where all of the disks must be there before the machine runs (docs/tail.md).</summary>
    public TailService? Tail { get; init; }

    /// <summary>Whether all of the source is read once more when the machine runs at the destination, and compared with what is there.</summary>
    public bool VerifiesFully { get; init; }

    /// <summary>The most delta rounds before the pause.</summary>
    public int MaxRounds { get; init; } = 8;

    /// <summary>How blocks are sent.</summary>
    public SenderOptions Sender { get; init; } = new();
}
