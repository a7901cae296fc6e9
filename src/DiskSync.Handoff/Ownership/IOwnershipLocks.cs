namespace DiskSync.Handoff.Ownership;

/// <summary>Keeps two processes of this host from moving the same image at once.</summary>
/// <remarks>
/// The journal alone keeps decisions apart; this keeps side effects (renames, hooks) apart. A lock ends with its
/// process, however that ends.
/// </remarks>
public interface IOwnershipLocks
{
    /// <summary>Takes the images' locks, or none.</summary>
    /// <param name="images">Image identities; order and repetition do not matter.</param>
    /// <returns>Dispose it to release; null where another process (or another caller here) holds one of them.</returns>
    IDisposable? TryAcquire(IReadOnlyList<string> images);
}
