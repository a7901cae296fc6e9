using DiskSync.Engine;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Handoff.Ownership;

/// <summary>D's way of handing back to the source: a note, the names, DONE(N+2).</summary>
/// <remarks>The note comes before the names change, so that every crash is told from every other. Safe for several processes by the locks.</remarks>
/// <param name="journal">This host's journal.</param>
/// <param name="images">The copies.</param>
/// <param name="names">Makes a copy unusable.</param>
/// <param name="locks">This host's locks.</param>
/// <param name="clock">For the times in the journal.</param>
internal sealed class DestinationReturn(
    IOwnershipJournal journal, IDestinationImages images, ISourceImages names, IOwnershipLocks locks, TimeProvider clock)
{
    /// <summary>Begins a return, or goes on with one, and ends it.</summary>
    /// <param name="image">Any image of the attempt.</param>
    /// <param name="discardWrites">Whether what was written here may be lost.</param>
    /// <param name="cancellationToken">Honoured until the return has begun.</param>
    /// <exception cref="DiskSyncException">It may not be handed back.</exception>
    public async Task RunAsync(string image, bool discardWrites, CancellationToken cancellationToken)
    {
        OwnershipView view = journal.Read();
        OwnershipEntry? last = view.Last(image);
        if (last is null || view.RoleOf(image, last.Attempt) != AttemptRole.Destination || !(last.Kind.IsOwned() || last.Kind == AttemptState.Paused))
        {
            throw OwnershipErrors.Moved(image, last, "handing it back");
        }

        if (last.Kind != AttemptState.Paused)
        {
            RefuseIfRun(last, discardWrites);
            await BeginAsync(last.Attempt, discardWrites, cancellationToken);
        }

        await EndAsync(last.Attempt);
    }

    /// <summary>Ends a return that has begun: names, then DONE(N+2). Repeatable.</summary>
    /// <param name="attempt">The attempt.</param>
    public async Task EndAsync(Guid attempt)
    {
        OwnershipView view = journal.Read();
        OwnershipEntry[] returning = [.. view.Open(attempt, AttemptRole.Destination).Where(e => e.Kind == AttemptState.Paused)];
        if (returning.Length == 0)
        {
            return;
        }

        using IDisposable moving = locks.TryAcquire(returning[0].Images) ?? throw OwnershipErrors.Busy(returning[0].Images);
        foreach (OwnershipEntry entry in returning)
        {
            await names.MakeUnusableAsync(entry.Image, entry.Epoch, view.IncompleteEpoch(entry.Image));
        }

        DateTimeOffset now = clock.GetUtcNow();
        journal.Append(newest => [.. newest.Open(attempt, AttemptRole.Destination)
            .Where(e => e.Kind == AttemptState.Paused)
            .Select(e => e.Next(AttemptState.Done, e.Epoch, now))]);
    }

    private static void RefuseIfRun(OwnershipEntry last, bool discardWrites)
    {
        if (last.Kind == AttemptState.RunningIncomplete && !discardWrites)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"destination {last.Image}: its guest was resumed here, so the source's copy is older than this one",
                "Once it is whole, migrate it back; before that only --discard-writes gives it back, without what was written here.");
        }

        if (discardWrites && !last.Kind.IsIncomplete())
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"destination {last.Image}: it is whole, so nothing written here need be lost",
                last.Kind == AttemptState.Owner
                    ? "Leave --discard-writes out; where it was written to, migrate it back: disksync migrate, from here to the old source."
                    : "Migrate it back: disksync migrate, from here to the old source.");
        }

        if (last.Kind == AttemptState.Running)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"destination {last.Image}: its guest was resumed here, so the source's copy is older than this one",
                "Migrate it back: disksync migrate, from here to the old source.");
        }
    }

    // With a tail some images may be whole already; while one is not, the source has kept all of them.
    private static bool MayBegin(AttemptState state, bool discardWrites) => state.IsUnfinished() || (discardWrites && state.IsOwned());

    private async Task BeginAsync(Guid attempt, bool discardWrites, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> all = journal.Read().InAttempt(attempt, AttemptRole.Destination)[0].Images;
        using IDisposable moving = locks.TryAcquire(all) ?? throw OwnershipErrors.Busy(all);

        // An export that waits for an image in OWNER opens it without the moving lock: it has to find the other one taken.
        using IDisposable exports = KeepExportsAway(all);
        OwnershipEntry[] owned = [.. journal.Read().Open(attempt, AttemptRole.Destination)];
        if (owned.Length != all.Count || (discardWrites && !owned.Any(e => e.Kind.IsIncomplete())))
        {
            throw OwnershipErrors.Moved(all[0], journal.Read().Last(all[0]), "handing all of its attempt back");
        }

        ImageToFinish[] finished = [.. owned.Select(ImageToFinish.Of)];
        await images.FinishImagesAsync([.. owned.Where(e => e.Kind.IsUnfinished()).Select(ImageToFinish.Of)]);
        images.RefuseOpen(finished);
        if (!discardWrites && !await images.AreUnchangedAsync(finished, cancellationToken))
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"destination {owned[0].Image}: it has been written to since it was sealed, so the source's copy is older than this one",
                finished.Any(i => i.IsIncomplete)
                    ? "Once it is whole, migrate it back; before that only --discard-writes gives it back, without what was written here."
                    : "Migrate it back: disksync migrate, from here to the old source.");
        }

        // Hashing takes long enough for somebody to have started it meanwhile.
        images.RefuseOpen(finished);

        // A note before the names change, so that a ceded name never stands beside a journal that has not heard of its epoch.
        DateTimeOffset now = clock.GetUtcNow();
        journal.Append(newest => [.. newest.Open(attempt, AttemptRole.Destination).Select(e => MayBegin(e.Kind, discardWrites)
            ? e.Next(AttemptState.Paused, ReturnEpoch(newest, attempt), now)
            : throw OwnershipErrors.Moved(e.Image, e, "handing it back"))]);
    }

    private HeldLocks KeepExportsAway(IReadOnlyList<string> images)
    {
        HeldLocks held = new();
        try
        {
            foreach (string image in images)
            {
                held.Add(locks.TryServe(image) ?? throw OwnershipErrors.Busy(images));
            }

            return held;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    private static ulong ReturnEpoch(OwnershipView view, Guid attempt) =>
        view.InAttempt(attempt, AttemptRole.Destination).Max(e => view.HighestEpoch(e.Image)) + 1;
}
