using DiskSync.Engine;
using DiskSync.Engine.Runs;
using DiskSync.Engine.Targets;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Handoff.Ownership;

/// <summary>Says what of staged copies and handed-over images may go, and removes it: never what is promised, owned or in doubt (safety rule 7).</summary>
/// <remarks>Lists are judged by the journal as it was when the object was made; <see cref="Remove"/> looks again. Thread safe.</remarks>
public sealed class StagedCopyGuard
{
    private readonly OwnershipJournal _journal;
    private readonly FileOwnershipLocks _locks;
    private readonly FileImageWitness _witness;
    private readonly OwnershipView _view;

    /// <summary>Reads the host's journal.</summary>
    /// <param name="stateFolder">STATE.</param>
    /// <exception cref="JournalDamagedException">Nothing can be said of any copy, so none may be removed.</exception>
    public StagedCopyGuard(string stateFolder)
    {
        _journal = new OwnershipJournal(stateFolder);
        _locks = new FileOwnershipLocks(stateFolder);
        _witness = new FileImageWitness(new ImagePlaces(stateFolder));
        _view = _journal.Read();
    }

    /// <summary>Whether a user may remove it.</summary>
    public bool MayGo(StagedCopy copy)
    {
        ArgumentNullException.ThrowIfNull(copy);
        return MayGo(copy.Kind, Judge(_view, copy));
    }

    /// <summary>The copy with a sentence about it that the journal bears out.</summary>
    public StagedCopy Describe(StagedCopy copy)
    {
        ArgumentNullException.ThrowIfNull(copy);
        OwnershipJudgement judgement = Judge(_view, copy);
        return copy.Kind == StagedKind.Ceded ? copy with { State = Words(judgement) }
            : MayGo(copy.Kind, judgement) ? copy
            : copy with { State = $"{copy.State}; it belongs to a hand-over that is not resolved" };
    }

    /// <summary>Removes a copy, while no hand-over of its image can begin or go on.</summary>
    /// <exception cref="DiskSyncException">It may not go any more, a run is writing it, or it cannot be removed.</exception>
    public void Remove(StagedCopy copy)
    {
        ArgumentNullException.ThrowIfNull(copy);
        string identity = ImageIdentity.Of(copy.Image);
        using IDisposable locks = _locks.TryAcquire([identity]) ?? throw OwnershipErrors.Busy([identity]);
        if (!MayGo(copy.Kind, Judge(_journal.Read(), copy)))
        {
            throw Refusal(copy);
        }

        StagedCopies.Remove(copy);
    }

    /// <summary>The refusal to remove such a copy.</summary>
    public static DiskSyncException Refusal(StagedCopy copy)
    {
        ArgumentNullException.ThrowIfNull(copy);
        return new DiskSyncException(
            FailureKind.OwnershipInDoubt,
            $"{copy.Files[0]}: this may be all that there is of an image whose hand-over is not resolved; it was not removed",
            $"'disksync owner {copy.Image}' says how it stands.");
    }

    /// <summary>A handed-over image may go where the destination has it for sure; a staged copy where no hand-over needs it.</summary>
    private static bool MayGo(StagedKind kind, OwnershipJudgement judgement) => kind == StagedKind.Ceded
        ? judgement is { Verdict: OwnershipVerdict.Elsewhere, Last.Kind: AttemptState.Done }
        : judgement switch
        {
            { Verdict: OwnershipVerdict.Unseen or OwnershipVerdict.Elsewhere or OwnershipVerdict.Refused } => true,

            // RUNNING is written after the copy has got its name: what is staged beside the image is of a later push.
            { Verdict: OwnershipVerdict.Owner, Witness.Exists: true } => true,
            _ => false,
        };

    private static string Words(OwnershipJudgement judgement) => judgement switch
    {
        { Verdict: OwnershipVerdict.Elsewhere } => $"handed over with epoch {judgement.Last!.Epoch}: the destination owns this image",
        { Verdict: OwnershipVerdict.Ceded } => "ceded, and the destination has not said yet that it owns the image: this may be the only copy that counts",
        { Verdict: OwnershipVerdict.InDoubt } => $"in doubt: {judgement.Reason}",
        { Verdict: OwnershipVerdict.Paused or OwnershipVerdict.Returning } => "a hand-over was cut off half way: this host still owns the image, and this is it",
        { Witness.Exists: true } => "from an earlier hand-over; the image has come back since",
        _ => "this host owns the image, and this is it: its own name has still to be given back",
    };

    private OwnershipJudgement Judge(OwnershipView view, StagedCopy copy)
    {
        string identity = ImageIdentity.Of(copy.Image);
        return OwnershipJudge.Judge(view, identity, _witness.Look(identity));
    }
}
