namespace DiskSync.Handoff.Ownership;

/// <summary>The journal that says who may write (design section 5).</summary>
/// <remarks>
/// Safe for use by several threads and several processes at once: what <see cref="Append"/> decides is decided
/// on the newest state and written before anybody else can look.
/// </remarks>
public interface IOwnershipJournal
{
    /// <summary>Reads and checks the whole journal.</summary>
    /// <returns>The view; <see cref="OwnershipView.Empty"/> where there is no journal yet.</returns>
    /// <exception cref="JournalDamagedException">The journal is there and not whole.</exception>
    OwnershipView Read();

    /// <summary>What changes whenever the journal does, for a look that costs next to nothing; null where it cannot be told now.</summary>
    /// <remarks>Two looks that are equal, one before and one after a <see cref="Read"/>, say that this read is still true when a third equals them.</remarks>
    string? Stamp() => null;

    /// <summary>Keeps room for the records of an attempt, so that a disk that fills up cannot keep a paused guest from being let go.</summary>
    /// <exception cref="DiskSync.Engine.DiskSyncException">There is no room.</exception>
    void Reserve();

    /// <summary>Reads, decides and writes in one transaction.</summary>
    /// <param name="decide">
    /// Sees the newest view and returns the entries to add, none to add nothing; what it throws passes through and
    /// nothing is written. Must not touch the journal itself.
    /// </param>
    /// <returns>The view after the entries, which are durable (power cut included) by then.</returns>
    /// <exception cref="JournalDamagedException">The journal is there and not whole; nothing was written.</exception>
    /// <exception cref="DiskSync.Engine.DiskSyncException">
    /// The journal cannot be written. Whether the entries are in it is then unknown: read again before going on.
    /// </exception>
    OwnershipView Append(Func<OwnershipView, IReadOnlyList<OwnershipEntry>> decide);

    /// <summary>By the operator's word: puts a damaged journal aside, under a name that says when, and starts one that trusts no unseen image.</summary>
    /// <param name="now">For the name.</param>
    /// <returns>Where the damaged one is now; null where the journal is whole and nothing was done.</returns>
    string? PutDamagedAside(DateTimeOffset now);
}
