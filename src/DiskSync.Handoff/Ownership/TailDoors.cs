using DiskSync.Engine;
using DiskSync.Engine.Exports;
using DiskSync.Engine.Replication;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Handoff.Ownership;

/// <summary>Finds, by this host's journal, whether an image still misses what its source offers to serve, and where its export listens (docs/tail.md).</summary>
/// <remarks>Thread safe; it changes nothing.</remarks>
/// <param name="journal">This host's journal.</param>
/// <param name="stateFolder">The state folder.</param>
public sealed class TailDoors(IOwnershipJournal journal, string stateFolder)
{
    /// <summary>Looks.</summary>
    /// <param name="offer">What the source offers.</param>
    /// <exception cref="DiskSyncException">This host does not own by that attempt.</exception>
    public TailDoor Find(Serve offer)
    {
        ArgumentNullException.ThrowIfNull(offer);
        OwnershipView view = journal.Read();
        IReadOnlyList<OwnershipEntry> images = view.InAttempt(offer.Attempt, AttemptRole.Destination);
        OwnershipEntry entry = offer.Place < images.Count ? images[offer.Place] : throw Unknown(offer);
        OwnershipEntry last = view.Last(entry.Image)!;
        if (!ReferenceEquals(entry, last) || !entry.Kind.IsIncomplete())
        {
            // Whole, refused, handed back, or somebody else's since: what was frozen for it is asked for no more.
            return new TailDoor(entry.Image, string.Empty, new AttemptStatus(offer.Attempt, entry.Kind, entry.Epoch));
        }

        return entry.Epoch == offer.Epoch
            ? new TailDoor(entry.Image, TailSocket.PathOf(stateFolder, entry.Image), null)
            : throw new DiskSyncException(
                FailureKind.OwnershipInDoubt,
                $"destination {entry.Image}: attempt {offer.Attempt} gave it epoch {entry.Epoch} here, and {offer.Epoch} there",
                "Look at both hosts with 'disksync owner'.");
    }

    private static DiskSyncException Unknown(Serve offer) => new(
        FailureKind.OwnershipInDoubt,
        $"destination: its journal knows no attempt {offer.Attempt} with {offer.Place + 1} images",
        "Make sure that the receiver is that of the host, and has the state folder (--state), that took the image; then run 'disksync owner' on both hosts.");
}
