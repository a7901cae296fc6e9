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

    /// <summary>
    /// Gives the copies their names (NAME.partial becomes NAME, folder flushed) and seals. Idempotent, durable on
    /// return, and redone at every start until RUNNING is written, so whatever is already there is left as it is.
    /// </summary>
    Task FinishImagesAsync(IReadOnlyList<ImageToFinish> images);

    /// <summary>Makes sure that nobody has the finished images open: a guest may run on one although the command that started it failed.</summary>
    /// <exception cref="Engine.DiskSyncException">Somebody has.</exception>
    void RefuseOpen(IReadOnlyList<ImageToFinish> images);

    /// <summary>Hashes finished images and says whether each still has its root: the guest never wrote. For <c>owner --return</c>.</summary>
    Task<bool> AreUnchangedAsync(IReadOnlyList<ImageToFinish> images, CancellationToken cancellationToken);
}
