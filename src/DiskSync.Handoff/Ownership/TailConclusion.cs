using DiskSync.Codecs;
using DiskSync.Engine;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Handoff.Ownership;

/// <summary>Ends the dependence of an image on its source: nothing is missing any more, so OWNER_INCOMPLETE becomes OWNER, and RUNNING_INCOMPLETE RUNNING.</summary>
/// <remarks>
/// Order: the presence map says so durably (whoever fetched has seen to that), name and seal, the record, and only then may
/// the source hear of it; the presence files go last. A crash anywhere is mended by doing it again. Thread safe.
/// </remarks>
/// <param name="journal">This host's journal.</param>
/// <param name="images">The images.</param>
/// <param name="locks">This host's locks.</param>
/// <param name="clock">For the times in the journal.</param>
public sealed class TailConclusion(IOwnershipJournal journal, ITailImages images, IOwnershipLocks locks, TimeProvider clock)
{
    /// <summary>Ends it for one image.</summary>
    /// <param name="image">The image's identity.</param>
    /// <param name="isServing">Whether the caller is the export that serves the image; any other leaves it to that one.</param>
    /// <returns>Whether the journal says that the image is whole. False where another process is at it.</returns>
    /// <exception cref="DiskSyncException">Something is missing still, or it could not be done.</exception>
    public bool TryComplete(string image, bool isServing)
    {
        using IDisposable? moving = locks.TryAcquire([image], besideExports: isServing);
        if (moving is null)
        {
            return false;
        }

        OwnershipView view = journal.Read();
        if (view.Last(image) is not { } last || !last.Kind.IsOwned())
        {
            throw OwnershipErrors.Moved(image, view.Last(image), "to be whole");
        }

        if (last.Kind.IsIncomplete())
        {
            if (!images.IsWhole(image, last.Epoch))
            {
                throw new DiskSyncException(
                    FailureKind.Preflight,
                    $"destination {image}: its presence map does not say that it is whole",
                    $"'disksync owner {image}' says how much is missing.");
            }

            Hash256 root = images.GiveName(image, last.Epoch);
            DateTimeOffset now = clock.GetUtcNow();
            journal.Append(newest => newest.Last(image) is { } entry && entry.Kind.IsIncomplete() && entry.Epoch == last.Epoch
                ? [entry.Next(entry.Kind.Whole(), entry.Epoch, now) with { Root = root }]
                : throw OwnershipErrors.Moved(image, newest.Last(image), "to be whole"));
        }

        images.Forget(image);
        return true;
    }

    /// <summary>The same for every image for which a kill, or an export that ended, has left it to do.</summary>
    /// <param name="only">One image; null for all.</param>
    /// <returns>Those that could not be seen to, and why.</returns>
    public IReadOnlyList<(string Image, DiskSyncException Failure)> Sweep(string? only = null)
    {
        OwnershipView view = journal.Read();
        List<(string, DiskSyncException)> failures = [];
        foreach (string image in only is null ? view.Images : [only])
        {
            if (view.Last(image) is not { } last || view.RoleOf(image, last.Attempt) != AttemptRole.Destination || !CameWithTail(view, last))
            {
                continue;
            }

            try
            {
                if (!last.Kind.IsIncomplete() || images.IsWhole(image, last.Epoch))
                {
                    _ = TryComplete(image, isServing: false);
                }
            }
            catch (DiskSyncException exception)
            {
                failures.Add((image, exception));
            }
        }

        return failures;
    }

    private static bool CameWithTail(OwnershipView view, OwnershipEntry last) =>
        last.Kind.IsOwned() && view.First(last.Image, last.Attempt)?.Kind == AttemptState.PreparedTail;
}
