using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Handoff.Ownership;

/// <summary>What <c>disksync owner IMAGE</c> says: who may write, what is in doubt, and the way out.</summary>
/// <param name="Image">The image's identity.</param>
/// <param name="Verdict">The judgement in one word.</param>
/// <param name="MayRunHere">Whether a guest may be started on the image on this host now.</param>
/// <param name="Epoch">The epoch that this host owns or owned last; 0 where it never did.</param>
/// <param name="LastRecord">The journal's last record for the image; None where there is none.</param>
/// <param name="Attempt">That record's attempt; <see cref="Guid.Empty"/> where there is none.</param>
/// <param name="AttemptEpoch">That record's epoch.</param>
/// <param name="Role">The part that this host plays in it.</param>
/// <param name="Since">When it was written; null where there is none.</param>
/// <param name="Peer">The other side of the attempt; may be empty.</param>
/// <param name="Images">All images of the attempt on this host.</param>
/// <param name="WhoMayWrite">A sentence.</param>
/// <param name="Doubt">A sentence; empty where nothing is in doubt.</param>
/// <param name="WayOut">The next thing to do; empty where there is nothing to do.</param>
public sealed record OwnerReport(
    string Image,
    OwnershipVerdict Verdict,
    bool MayRunHere,
    ulong Epoch,
    AttemptState LastRecord,
    Guid Attempt,
    ulong AttemptEpoch,
    AttemptRole Role,
    DateTimeOffset? Since,
    string Peer,
    IReadOnlyList<string> Images,
    string WhoMayWrite,
    string Doubt,
    string WayOut)
{
    /// <summary>The report for people, a line each.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            List<string> lines = [$"{Image}: {WhoMayWrite}"];
            if (LastRecord != AttemptState.None)
            {
                string with = Peer.Length > 0 ? $", the other side is {Peer}" : string.Empty;
                lines.Add($"  journal: {LastRecord.Word()}, epoch {AttemptEpoch}, since {Since:yyyy-MM-dd HH:mm:ss 'UTC'}{with}");
            }

            if (Images.Count > 1)
            {
                lines.Add($"  one attempt with: {string.Join(", ", Images.Where(i => !string.Equals(i, Image, StringComparison.Ordinal)))}");
            }

            if (Doubt.Length > 0)
            {
                lines.Add($"  in doubt: {Doubt}");
            }

            if (WayOut.Length > 0)
            {
                lines.Add($"  next: {WayOut}");
            }

            return lines;
        }
    }

    /// <summary>Puts a judgement into words.</summary>
    public static OwnerReport Of(OwnershipJudgement judgement)
    {
        ArgumentNullException.ThrowIfNull(judgement);
        OwnershipEntry? last = judgement.Last;
        (string who, string doubt, string next) = Words(judgement);
        return new OwnerReport(
            judgement.Image,
            judgement.Verdict,
            judgement.MayRun,
            judgement.Epoch,
            last?.Kind ?? AttemptState.None,
            last?.Attempt ?? Guid.Empty,
            last?.Epoch ?? 0,
            judgement.Role,
            last?.Time.ToUniversalTime(),
            last?.Peer ?? string.Empty,
            last?.Images ?? [judgement.Image],
            who,
            doubt,
            next);
    }

    private static (string Who, string Doubt, string Next) Words(OwnershipJudgement judgement)
    {
        string image = judgement.Image;
        string peer = judgement.Last is { Peer.Length: > 0 } last ? last.Peer : "the other host";
        return judgement.Verdict switch
        {
            OwnershipVerdict.Unseen => (
                "this host may write: nothing was ever handed over",
                string.Empty,
                string.Empty),
            OwnershipVerdict.Owner => (
                $"this host may write (epoch {judgement.Epoch})",
                string.Empty,
                judgement.Witness.Exists || judgement.Witness.CededEpoch == 0 ? string.Empty
                    : $"the image still has its ceded name; 'disksync owner --force {image}' gives it its name back"),
            OwnershipVerdict.OwnerUnfinished => (
                $"this host owns it (epoch {judgement.Epoch}); no other may write",
                "whether its guest runs: the names, the seal or the guest's command were not finished",
                judgement.Role == AttemptRole.Destination
                    ? $"'disksync owner {image}' finishes it and resumes; if the guest cannot start here, 'disksync owner --return {image}' hands it back to {peer}"
                    : $"'disksync owner {image}' gives it its name back and unpauses"),
            OwnershipVerdict.Paused => (
                $"this host owns it (epoch {judgement.Epoch}) and nothing was handed over; its guest is paused or about to be",
                "whether the guest is paused: a migrate is at work or was killed",
                $"if no migrate is running, 'disksync owner {image}' (or the same migrate again) calls it off and unpauses"),
            OwnershipVerdict.Incomplete => (
                $"this host owns it (epoch {judgement.Epoch}) and depends on {peer}: {OwnershipErrors.NotWhole(judgement)}; only 'disksync export --incoming' may serve it",
                string.Empty,
                $"keep 'disksync export {image} --incoming' running here, and 'disksync owner' (or its migrate) at {peer}, until it is whole; "
                    + $"if {peer} is lost for good, so is what is missing: 'disksync owner --return --discard-writes {image}' gives it back"),
            OwnershipVerdict.IncompleteUnfinished => (
                $"this host owns it (epoch {judgement.Epoch}) and depends on {peer}: {OwnershipErrors.NotWhole(judgement)}; only 'disksync export --incoming' may serve it",
                "whether its guest runs: the names or the guest's command were not finished",
                $"'disksync owner {image}' finishes it and resumes; if the guest cannot start here, 'disksync owner --return {image}' hands it back to {peer}"),
            OwnershipVerdict.Pinned => (
                $"{peer} owns it (epoch {judgement.Last!.Epoch}) and fetches what it misses from here; the image here is frozen until it is whole there",
                string.Empty,
                $"'disksync owner {image}', or the same migrate again, goes on serving it; if {peer} is gone for good and fenced, "
                    + $"'disksync owner --force {image}' takes back what is here, without anything written there"),
            OwnershipVerdict.Ceded => (
                "this host may not write: it has ceded",
                $"whether {peer} owns it by now: its answer never arrived",
                $"'disksync owner {image}', or the same migrate again, asks {peer}; if it is gone for good and fenced, 'disksync owner --force {image}' takes back"),
            OwnershipVerdict.Prepared when judgement.Last!.Kind == AttemptState.PreparedTail => (
                "this host may not write: it has a copy, parts of which are still at the source, and waits for the source's word",
                $"whether {peer} has ceded",
                $"run 'disksync owner' on {peer}; to refuse instead, 'disksync owner --return {image}'"),
            OwnershipVerdict.Prepared => (
                "this host may not write: it has a complete copy and waits for the source's word",
                $"whether {peer} has ceded",
                $"run 'disksync owner' on {peer}; to refuse instead, 'disksync owner --return {image}'; "
                    + $"if {peer} is gone for good and fenced, 'disksync owner --force {image}' takes over"),
            OwnershipVerdict.Elsewhere => (
                $"{peer} owns it; this host may not write",
                string.Empty,
                $"if {peer} was told to hand back ('owner --return'), 'disksync owner {image}' takes it; if it is gone for good and fenced, "
                    + $"'disksync owner --force {image}' takes what is here, without anything written there"),
            OwnershipVerdict.Refused => (
                "this host may not write: the attempt was refused, what is here is a staged copy",
                string.Empty,
                $"migrate it from {peer} again, or leave it; the staged copy is used by the next run"),
            OwnershipVerdict.Returning => (
                $"this host is handing it back to {peer}",
                "nothing, but the return is not finished",
                $"'disksync owner --return {image}' finishes it"),
            _ => (
                "nobody may write on this host",
                judgement.Reason,
                $"find out where the VM runs and which copy is the newest; if no other host can write, 'disksync owner --force {image}' takes it here"),
        };
    }
}
