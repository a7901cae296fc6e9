using DiskSync.Codecs;

namespace DiskSync.Handoff.Ownership;

/// <summary>What the hand-over needs of the destination's copies.</summary>
public interface IDestinationImages
{
    /// <summary>Flushes the staged copies and reads back what has not been read back since it was written.</summary>
    /// <param name="images">Image identities at the destination.</param>
    /// <param name="cancellationToken">Stops; nothing has been promised yet.</param>
    /// <returns>The root of what each staged copy holds on its medium, in the same order.</returns>
    Task<IReadOnlyList<Hash256>> VerifyAndRootsAsync(IReadOnlyList<string> images, CancellationToken cancellationToken);

    /// <summary>Makes durable beside each staged copy which of its parts are missing, and where they are (docs/tail.md). Nothing is promised yet.</summary>
    /// <param name="request">The attempt, with what its images are called at the source.</param>
    /// <param name="cancellationToken">Stops.</param>
    Task StageTailsAsync(PrepareRequest request, CancellationToken cancellationToken);

    /// <summary>
    /// Gives the copies their names (NAME.partial becomes NAME, or NAME.incomplete-EPOCH, folder flushed) and seals (or tail seals). Idempotent, durable on
    /// return, and redone at every start until RUNNING is written, so whatever is already there is left as it is.
    /// </summary>
    Task FinishImagesAsync(IReadOnlyList<ImageToFinish> images);

    /// <summary>Makes sure that nobody has the finished images open: a guest may run on one although the command that started it failed.</summary>
    /// <exception cref="Engine.DiskSyncException">Somebody has.</exception>
    void RefuseOpen(IReadOnlyList<ImageToFinish> images);

    /// <summary>Hashes finished images and says whether each still has its root: the guest never wrote. For <c>owner --return</c>. One that is incomplete must never have been written to.</summary>
    Task<bool> AreUnchangedAsync(IReadOnlyList<ImageToFinish> images, CancellationToken cancellationToken);
}
