using DiskSync.Handoff.Ownership;

namespace DiskSync.Cli.Output;

/// <summary>What <c>disksync owner --json</c> prints.</summary>
/// <param name="Image">The image's identity: its full path, or a device's stable identity.</param>
/// <param name="Verdict">How it stands in one word.</param>
/// <param name="MayRunHere">Whether a machine may be started on it on this host now.</param>
/// <param name="Resolved">False where it is still in doubt who may write, or a machine could not be started.</param>
/// <param name="Message">What was done, or empty.</param>
/// <param name="Epoch">The epoch that this host owns or owned last.</param>
/// <param name="LastRecord">The journal's last record for it.</param>
/// <param name="Attempt">That record's attempt, or null.</param>
/// <param name="AttemptEpoch">That record's epoch.</param>
/// <param name="Role">The part that this host plays in it.</param>
/// <param name="Since">When it was written, or null.</param>
/// <param name="Peer">The other side, or null.</param>
/// <param name="Images">All images of the attempt on this host.</param>
/// <param name="WhoMayWrite">A sentence.</param>
/// <param name="Doubt">A sentence, or null.</param>
/// <param name="WayOut">The next thing to do, or null.</param>
internal sealed record OwnerOutput(
    string Image,
    string Verdict,
    bool MayRunHere,
    bool Resolved,
    string Message,
    ulong Epoch,
    string LastRecord,
    Guid? Attempt,
    ulong AttemptEpoch,
    string Role,
    DateTimeOffset? Since,
    string? Peer,
    IReadOnlyList<string> Images,
    string WhoMayWrite,
    string? Doubt,
    string? WayOut)
{
    /// <summary>Builds the object of a result.</summary>
    public static OwnerOutput Of(OwnerResult result) => new(
        result.Report.Image,
        result.Report.Verdict.ToString(),
        result.Report.MayRunHere,
        result.Resolved,
        result.Message,
        result.Report.Epoch,
        result.Report.LastRecord.ToString(),
        result.Report.Attempt == Guid.Empty ? null : result.Report.Attempt,
        result.Report.AttemptEpoch,
        result.Report.Role.ToString(),
        result.Report.Since,
        NullIfEmpty(result.Report.Peer),
        result.Report.Images,
        result.Report.WhoMayWrite,
        NullIfEmpty(result.Report.Doubt),
        NullIfEmpty(result.Report.WayOut));

    private static string? NullIfEmpty(string text) => text.Length > 0 ? text : null;
}
