using DiskSync.Engine.Tail;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Handoff.Ownership;

/// <summary>Judges an image by the journal and by what stands beside it (design section 5, first two bullets).</summary>
/// <remarks>
/// The journal decides; seal and ceded names can only take rights away. They notice a journal that was lost or
/// restored from a backup, which no check inside the journal can.
/// </remarks>
public static class OwnershipJudge
{
    /// <summary>Judges one image.</summary>
    /// <param name="view">The journal.</param>
    /// <param name="image">The image's identity.</param>
    /// <param name="witness">What stands beside it.</param>
    public static OwnershipJudgement Judge(OwnershipView view, string image, ImageWitness witness)
    {
        ArgumentNullException.ThrowIfNull(view);
        OwnershipEntry? last = view.Last(image);
        AttemptRole role = last is null ? AttemptRole.None : view.RoleOf(image, last.Attempt);
        string doubt = Doubt(view, image, last, witness);
        OwnershipVerdict verdict = doubt.Length > 0 ? OwnershipVerdict.InDoubt : Verdict(last, role);
        return new OwnershipJudgement(image, verdict, view.OwnedEpoch(image), last, role, witness, doubt);
    }

    private static OwnershipVerdict Verdict(OwnershipEntry? last, AttemptRole role) => last?.Kind switch
    {
        null => OwnershipVerdict.Unseen,
        AttemptState.Running => OwnershipVerdict.Owner,
        AttemptState.Owner => role == AttemptRole.None ? OwnershipVerdict.Owner : OwnershipVerdict.OwnerUnfinished,
        AttemptState.Paused => role == AttemptRole.Source ? OwnershipVerdict.Paused : OwnershipVerdict.Returning,
        AttemptState.Ceded => OwnershipVerdict.Ceded,
        AttemptState.Prepared or AttemptState.PreparedTail => OwnershipVerdict.Prepared,
        AttemptState.OwnerIncomplete => OwnershipVerdict.IncompleteUnfinished,
        AttemptState.RunningIncomplete => OwnershipVerdict.Incomplete,
        AttemptState.Pinned => OwnershipVerdict.Pinned,
        AttemptState.Done => OwnershipVerdict.Elsewhere,
        AttemptState.Refused => OwnershipVerdict.Refused,

        // CalledOff is always followed by Owner in its own transaction, and None is never written.
        _ => OwnershipVerdict.InDoubt,
    };

    private static string Doubt(OwnershipView view, string image, OwnershipEntry? last, ImageWitness witness)
    {
        if (witness.SealDamaged)
        {
            return "its seal cannot be read, so the epoch that it was sealed at is not known";
        }

        string beside = witness.Epoch == witness.CededEpoch
            ? $"the name {image}.ceded-{witness.CededEpoch}"
            : witness.Epoch == witness.IncompleteEpoch
            ? $"the name {TailFiles.IncompleteName(image, witness.IncompleteEpoch)}"
            : $"a seal of epoch {witness.SealEpoch}";
        if (last is null)
        {
            return witness.Epoch > 0 ? $"the journal does not know it, yet beside it stands {beside}: the journal was lost or restored"
                : view.Recreated ? "the journal was made anew after damage and does not know it: the lost one may have ceded it"
                : string.Empty;
        }

        if (witness.Epoch > view.HighestEpoch(image))
        {
            return $"the journal knows it up to epoch {view.HighestEpoch(image)}, yet beside it stands {beside}: the journal was restored";
        }

        // The seal and the names of an attempt are written after OWNER, never before.
        if ((last.Kind.IsPrepared() || last.Kind == AttemptState.Refused) && Math.Max(witness.SealEpoch, witness.IncompleteEpoch) >= last.Epoch)
        {
            return $"the journal ends before OWNER({last.Epoch}), yet beside it stands {beside}: the journal was restored";
        }

        return last.Kind is AttemptState.CalledOff or AttemptState.None ? "its journal entries end in the middle of a step" : string.Empty;
    }
}
