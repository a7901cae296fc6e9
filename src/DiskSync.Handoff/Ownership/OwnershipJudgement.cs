namespace DiskSync.Handoff.Ownership;

/// <summary>The judgement of one image on one host.</summary>
/// <param name="Image">The image's identity.</param>
/// <param name="Verdict">What is allowed.</param>
/// <param name="Epoch">The epoch that this host owns or owned last; 0 where it never did.</param>
/// <param name="Last">The journal's last entry for the image, or null.</param>
/// <param name="Role">The part played in that entry's attempt.</param>
/// <param name="Witness">What stands beside the image.</param>
/// <param name="Reason">Why it is in doubt; empty otherwise.</param>
public sealed record OwnershipJudgement(
    string Image,
    OwnershipVerdict Verdict,
    ulong Epoch,
    OwnershipEntry? Last,
    AttemptRole Role,
    ImageWitness Witness,
    string Reason)
{
    /// <summary>Whether a guest may be started on the image here, by this product or by hand.</summary>
    public bool MayRun => Verdict == OwnershipVerdict.Owner;

    /// <summary>Whether a receiver may stage a copy under this name: nothing here is owned, promised or in doubt.</summary>
    public bool MayReceive => Verdict is OwnershipVerdict.Unseen or OwnershipVerdict.Elsewhere or OwnershipVerdict.Refused;
}
