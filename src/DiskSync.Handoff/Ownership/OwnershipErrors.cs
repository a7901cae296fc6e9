using DiskSync.Engine;

namespace DiskSync.Handoff.Ownership;

/// <summary>The refusals that several classes of this folder share, so that each is worded once.</summary>
internal static class OwnershipErrors
{
    public static DiskSyncException Busy(IReadOnlyList<string> images) => new(
        FailureKind.Preflight,
        $"another disksync process on this host is moving or exporting {string.Join(", ", images)}",
        "Wait for it to end ('disksync status' shows it), then run the command again.");

    public static DiskSyncException Served(string image) => new(
        FailureKind.Preflight,
        $"source {image} is served by a 'disksync export' that does not track its writes",
        "Stop that export ('disksync status' shows it) and start it again with --track.");

    public static DiskSyncException Moved(string image, OwnershipEntry? last, string wanted) => new(
        FailureKind.OwnershipInDoubt,
        $"{image}: the journal says {(last is null ? "nothing" : $"{last.Kind} (epoch {last.Epoch})")}, so {wanted} is not the next step",
        $"Run 'disksync owner {image}' to see how it stands.");

    /// <summary>Why an image with a tail is not yet an image like any other, without a full stop.</summary>
    public static string NotWhole(OwnershipJudgement judgement)
    {
        string source = judgement.Last is { Peer.Length: > 0 } last ? last.Peer : "its source";
        return judgement.Witness.MissingBytes is { } missing
            ? $"it is not whole yet: {missing / (double)(1L << 30):0.00} GiB are still at {source}"
            : $"it is not whole yet: parts of it are still at {source}";
    }

    public static DiskSyncException MayNot(OwnershipJudgement judgement, Side side)
    {
        string where = side == Side.Source ? "source" : "destination";
        string image = judgement.Image;
        (string what, string next) = judgement.Verdict switch
        {
            OwnershipVerdict.InDoubt => (judgement.Reason, "Find out where the VM runs; if no other host can write, 'disksync owner --force' takes it here"),
            OwnershipVerdict.Paused => ("an attempt was begun here and not ended", "'disksync owner' calls it off and unpauses"),
            OwnershipVerdict.Ceded => ("it was ceded and the destination's answer is not known", "'disksync owner', or the same migrate again, asks the destination"),
            OwnershipVerdict.Prepared => ("an attempt is prepared here and only its source decides", "run 'disksync owner' at the source; 'disksync owner --return' here refuses the attempt"),
            OwnershipVerdict.Elsewhere => ("another host owns it", "migrate it from there; 'disksync owner' shows what this host knows"),
            OwnershipVerdict.Refused => ("what is here is the staged copy of a refused attempt", "migrate it from its owner again"),
            OwnershipVerdict.Returning => ("its return to the source has begun", "'disksync owner --return' finishes it"),
            OwnershipVerdict.OwnerUnfinished => ("this host owns it, but its names or its guest are not finished", "'disksync owner' finishes it"),
            OwnershipVerdict.Incomplete => (NotWhole(judgement), "wait until it is whole; 'disksync export --incoming' serves it meanwhile, and 'disksync owner' shows how much is missing"),
            OwnershipVerdict.IncompleteUnfinished => (NotWhole(judgement), "'disksync owner' finishes its names and resumes its guest; 'disksync export --incoming' serves it"),
            OwnershipVerdict.Pinned => ($"{judgement.Last!.Peer} owns it and still fetches parts of it from here", "'disksync owner', or the same migrate again, goes on serving it until nothing is missing there"),
            OwnershipVerdict.Owner => ("this host owns it", "a copy of an image that is owned here must go to another name"),
            _ => ("nothing is known of it", "check the name"),
        };
        FailureKind kind = judgement.Verdict is OwnershipVerdict.Owner or OwnershipVerdict.Refused or OwnershipVerdict.Elsewhere
            or OwnershipVerdict.Incomplete or OwnershipVerdict.Pinned
            ? FailureKind.Preflight
            : FailureKind.OwnershipInDoubt;
        return new DiskSyncException(kind, $"{where} {image}: {what}", $"{char.ToUpperInvariant(next[0])}{next[1..]} ({image}).");
    }
}
