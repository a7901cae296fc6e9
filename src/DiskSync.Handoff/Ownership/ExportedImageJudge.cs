using DiskSync.Engine.Exports.Lending;

namespace DiskSync.Handoff.Ownership;

/// <summary>Finds out in the ownership journal what has become of an exported image that was lent to a migration.</summary>
/// <remarks>
/// Under the image's moving lock, which a migration holds for as long as it lives: while somebody else has it nothing is
/// decided, and what is read under it nobody can change before the export has acted on it. Only records take the
/// image away from its export; before CEDED nothing was sent, so S need ask nobody (design section 5).
/// </remarks>
/// <param name="identity">The image.</param>
/// <param name="journal">This host's journal.</param>
/// <param name="locks">The locks of images.</param>
/// <param name="images">Looks at seals and ceded names.</param>
public sealed class ExportedImageJudge(string identity, IOwnershipJournal journal, IOwnershipLocks locks, IImageWitness images) : ILendingJudge
{
    /// <inheritdoc/>
    public LendingFate Judge()
    {
        using IDisposable? moving = locks.TryAcquire([identity], besideExports: true);
        if (moving is null)
        {
            return new LendingFate(LendingFateKind.Undecided, string.Empty);
        }

        OwnershipJudgement judgement;
        try
        {
            judgement = OwnershipJudge.Judge(journal.Read(), identity, images.Look(identity));
        }
        catch (Engine.DiskSyncException exception)
        {
            return new LendingFate(LendingFateKind.Undecided, $"{exception.Message.TrimEnd('.')}. {exception.Advice}");
        }

        return judgement.Verdict switch
        {
            OwnershipVerdict.Unseen or OwnershipVerdict.Owner or OwnershipVerdict.OwnerUnfinished or OwnershipVerdict.Paused =>
                new LendingFate(LendingFateKind.Ours, string.Empty),
            OwnershipVerdict.Elsewhere or OwnershipVerdict.Pinned => new LendingFate(
                LendingFateKind.Gone, $"it was handed over to {judgement.Last!.Peer} (epoch {judgement.Last.Epoch})"),
            OwnershipVerdict.Ceded => new LendingFate(
                LendingFateKind.Undecided,
                $"it was ceded to {judgement.Last!.Peer} and the answer is not known: 'disksync owner {identity}' asks"),
            _ => new LendingFate(LendingFateKind.Undecided, $"it is not clear who owns it: 'disksync owner {identity}' says"),
        };
    }
}
