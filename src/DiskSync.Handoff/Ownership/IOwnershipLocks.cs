namespace DiskSync.Handoff.Ownership;

/// <summary>Keeps two processes of this host from moving the same image at once, or one from moving what another serves.</summary>
/// <remarks>
/// The journal alone keeps decisions apart; this keeps side effects (renames, hooks) apart. There are two locks for an
/// image. The moving lock is held while an attempt is begun, goes on or is resolved; the serving lock by the export
/// that may write the image, from its start to its end. An export takes its own under the moving lock, so whoever
/// holds the moving lock knows that no export can begin. A lock ends with its process, however that ends.
/// </remarks>
public interface IOwnershipLocks
{
    /// <summary>Takes the images' moving locks, or none.</summary>
    /// <param name="images">Image identities; order and repetition do not matter.</param>
    /// <param name="besideExports">
    /// Whether an image may be one that an export serves: only for those whose export is told (a migration that it lends
    /// the image to), or who decide nothing that an export does not read in the journal by itself.
    /// </param>
    /// <returns>Dispose it to release; null where another process (or another caller here) holds one of them.</returns>
    IDisposable? TryAcquire(IReadOnlyList<string> images, bool besideExports = false);

    /// <summary>Takes an image's serving lock; the caller holds its moving lock meanwhile, or is an <see cref="IncomingImage"/> in OWNER.</summary>
    /// <param name="image">The image's identity.</param>
    /// <returns>Dispose it when the image is no longer served; null where another export holds it.</returns>
    IDisposable? TryServe(string image);

    /// <summary>Whether an export holds the image's serving lock; lasting only while the caller holds its moving lock.</summary>
    /// <param name="image">The image's identity.</param>
    bool IsServed(string image);
}
