using DiskSync.Engine.Replication;

namespace DiskSync.Handoff.Migration;

/// <summary>How a migration is to run.</summary>
public sealed record MigrationOptions
{
    /// <summary>The command that pauses the guest at the source; empty where none runs.</summary>
    public string Pause { get; init; } = string.Empty;

    /// <summary>The command that unpauses it where the hand-over is called off.</summary>
    public string Unpause { get; init; } = string.Empty;

    /// <summary>The command or the hook's name that resumes the guest at the destination.</summary>
    public string Resume { get; init; } = string.Empty;

    /// <summary>The longest downtime that is accepted; null for <see cref="ForecastModel.DefaultBudget"/>.</summary>
    public TimeSpan? MaxDowntime { get; init; }

    /// <summary>How long the destination is asked whether its guest runs, where the link broke while it was being resumed.</summary>
    public TimeSpan ResumePatience { get; init; } = TimeSpan.FromSeconds(90);

    /// <summary>The most delta rounds before the pause.</summary>
    public int MaxRounds { get; init; } = 8;

    /// <summary>How blocks are sent.</summary>
    public SenderOptions Sender { get; init; } = new();
}
