using DiskSync.Engine.Replication;
using DiskSync.Handoff.Ownership;

namespace DiskSync.Handoff.Migration;

/// <summary>What the switchover of a migration works with.</summary>
/// <param name="Attempt">The attempt.</param>
/// <param name="Session">The session with the destination.</param>
/// <param name="Images">The images.</param>
/// <param name="Rounds">Their rounds.</param>
/// <param name="Forecast">What the pause is expected to take.</param>
/// <param name="MaxDowntime">The downtime that is accepted.</param>
/// <param name="Proof">How long the proof before the pause took.</param>
/// <param name="Start">When the migration began, as a timestamp.</param>
internal sealed record Switchover(
    SourceAttempt Attempt,
    SourceSession Session,
    List<ImageMigration> Images,
    MigrationRounds Rounds,
    Forecast Forecast,
    TimeSpan MaxDowntime,
    TimeSpan Proof,
    long Start);
