namespace DiskSync.Engine.Tail;

/// <summary>Hears from the export of an image with a tail that nothing of it is missing any more; implemented in DiskSync.Handoff.</summary>
public interface ITailCompletion
{
    /// <summary>Gives the image its name and its seal, and has the journal say so, under the image's moving lock; then the presence files go.</summary>
    /// <remarks>
    /// Call it when the presence map says durably that nothing is missing (<see cref="PresenceMap.IsComplete"/>, then
    /// <see cref="PresenceMap.Settle"/>); it reads that from the medium itself. The caller keeps the image and the map open:
    /// they lose and change their names only. Repeatable: what is done already is found done. Thread safe.
    /// </remarks>
    /// <returns>Whether it is recorded. False where another process is at the image (the command that resumes its guest may be at work): ask again in a second.</returns>
    /// <exception cref="DiskSyncException">It cannot be done, or something is still missing. The image is served as before.</exception>
    bool TryComplete();
}
