using DiskSync.Engine;
using DiskSync.Engine.Targets;

namespace DiskSync.Handoff.Ownership;

/// <summary>Says which staged copies are promised or owned, so that cleaning up never takes one of them (safety rule 7).</summary>
/// <remarks>Reads the journal once; immutable.</remarks>
public sealed class StagedCopyGuard
{
    private readonly OwnershipView _view;
    private readonly FileImageWitness _witness;

    /// <summary>Reads the host's journal.</summary>
    /// <param name="stateFolder">STATE.</param>
    /// <exception cref="JournalDamagedException">Nothing can be said of any copy, so none may be removed.</exception>
    public StagedCopyGuard(string stateFolder)
    {
        _view = new OwnershipJournal(stateFolder).Read();
        _witness = new FileImageWitness(new ImagePlaces(stateFolder));
    }

    /// <summary>Whether the copy staged for an image may be all that a hand-over has left: PREPARED, OWNER not finished, or in doubt.</summary>
    /// <param name="image">The image's path.</param>
    public bool IsPromised(string image)
    {
        string identity = ImageIdentity.Of(image);
        return _view.Last(identity) is not null && OwnershipJudge.Judge(_view, identity, _witness.Look(identity)).Verdict
            is OwnershipVerdict.Prepared or OwnershipVerdict.OwnerUnfinished or OwnershipVerdict.Returning or OwnershipVerdict.InDoubt;
    }

    /// <summary>The refusal to remove such a copy.</summary>
    public static DiskSyncException Refusal(string image) => new(
        FailureKind.OwnershipInDoubt,
        $"destination {image}: what is staged belongs to a hand-over that is not resolved; it was not removed",
        $"Run 'disksync owner {image}' first.");
}
