using System.Diagnostics;
using DiskSync.Engine;
using DiskSync.Engine.Progress;
using DiskSync.Engine.Tracking;
using DiskSync.Handoff.Ownership;

namespace DiskSync.Handoff.Migration;

/// <summary>The rounds of a migration over all of its images: while the machine runs, in the pause, and what is read again after it.</summary>
/// <remarks>Not thread safe, but for <see cref="FollowAsync"/> beside a pause that has begun.</remarks>
/// <param name="images">The images, open at the destination; stay the caller's.</param>
/// <param name="options">How the migration is to run.</param>
/// <param name="progress">Where progress goes.</param>
/// <param name="events">Hears how it goes on.</param>
internal sealed class MigrationRounds(
    List<ImageMigration> images, MigrationOptions options, IProgressSink progress, IMigrationEvents events)
{
    // Between rounds beside the copy of the memory: what is written often is sent once and not ten times.
    private static readonly TimeSpan FollowInterval = TimeSpan.FromSeconds(1);

    /// <summary>Whoever may slow the machine's writes; null where the user allows nobody to.</summary>
    /// <exception cref="DiskSyncException">The user does, and nobody can (kind Preflight).</exception>
    public WriteGovernor? Governor()
    {
        if (options.MaxSlowdown is not { } most)
        {
            return null;
        }

        return images.TrueForAll(i => i.CanSlow)
            ? new WriteGovernor(images, most, events)
            : throw new DiskSyncException(
                FailureKind.Preflight,
                $"source {images.First(i => !i.CanSlow).Sender.Source.Name}: its writes cannot be slowed, for they do not go through an export that tracks them",
                "Leave out --max-slowdown, or let the machine use the image through 'disksync export --track'.");
    }

    /// <summary>The first round, and delta rounds for as long as each leaves less than the one before.</summary>
    public async Task CopyAsync(CancellationToken cancellationToken)
    {
        events.Entered(MigrationState.BulkCopy);
        await RunRoundAsync(images, CopyPhase.BulkCopy, cancellationToken);
        events.Entered(MigrationState.DeltaRounds);
        await RunRoundAsync(images, CopyPhase.DeltaRound, cancellationToken);
        await ShrinkAsync(images, options.MaxRounds - 1, cancellationToken);
    }

    /// <summary>Proves that the destination holds what was sent, twice, so that the pause need not do what the first proof left.</summary>
    /// <returns>How long that took.</returns>
    public async Task<TimeSpan> ProveAsync(CancellationToken cancellationToken)
    {
        events.Entered(MigrationState.Proving);
        long start = Stopwatch.GetTimestamp();
        foreach (ImageMigration image in images)
        {
            await image.ProveAsync(CopyPhase.DeltaRound, cancellationToken);
        }

        // What was written while the proof ran is caught up with, so that the pause need not.
        await RunRoundAsync(images, CopyPhase.DeltaRound, cancellationToken);
        foreach (ImageMigration image in images)
        {
            await image.ProveAsync(CopyPhase.DeltaRound, cancellationToken);
        }

        return Stopwatch.GetElapsedTime(start);
    }

    /// <summary>Sends what was written during the proof, where that is known: such rounds cost only what is dirty.</summary>
    public Task CatchUpAsync(CancellationToken cancellationToken) =>
        ShrinkAsync([.. images.Where(i => i.IsTracked)], options.MaxRounds, cancellationToken);

    /// <summary>One delta round.</summary>
    public Task RunDeltaAsync(CancellationToken cancellationToken) => RunRoundAsync(images, CopyPhase.DeltaRound, cancellationToken);

    /// <summary>Keeps the destination close while memory is copied, which may take minutes: rounds over what is tracked, one after the other.</summary>
    /// <remarks>A round is not cut off when the machine stands still: what it sends has to be sent then all the same.</remarks>
    public async Task FollowAsync(Task pause, CancellationToken cancellationToken)
    {
        while (await Task.WhenAny(pause, Task.Delay(FollowInterval, cancellationToken)) != pause && !cancellationToken.IsCancellationRequested)
        {
            List<ImageMigration> dirty = [.. images.Where(i => i.IsTracked && i.Pending() > 0)];
            await RunRoundAsync(dirty, CopyPhase.DeltaRound, cancellationToken);
        }
    }

    /// <summary>In the pause: fences the images, sends the last delta and proves it.</summary>
    /// <param name="patience">The longest that writes under way may take.</param>
    /// <param name="isEnough">Where a tail is allowed: told how many bytes are on the way, whether the rest is left to it; else null.</param>
    /// <param name="budget">Ends it when the accepted downtime is used up.</param>
    /// <returns>What it took, and how many bytes are left to the tail.</returns>
    public async Task<(TimeSpan Delta, TimeSpan Proof, long Missing)> FinishAsync(
        TimeSpan patience, Func<long, bool>? isEnough, CancellationToken budget)
    {
        long start = Stopwatch.GetTimestamp();
        foreach (ImageMigration image in images)
        {
            image.Fence(patience);
        }

        foreach (ImageMigration image in images)
        {
            await image.RunRoundAsync(CopyPhase.FinalDelta, budget, isEnough);
        }

        TimeSpan delta = Stopwatch.GetElapsedTime(start);
        start = Stopwatch.GetTimestamp();
        long missing = 0;
        bool hasTail = images.Exists(i => i.Sender.DirtyBlocks > 0);
        foreach (ImageMigration image in images)
        {
            if (hasTail)
            {
                missing += await image.ProveAsItIsAsync(budget);
            }
            else
            {
                await image.ProveAsync(CopyPhase.FinalDelta, budget);
            }
        }

        return (delta, Stopwatch.GetElapsedTime(start), missing);
    }

    /// <summary>The machine runs at the destination and nobody may write here: what nobody has read for the hand-over's sake is read now.</summary>
    /// <returns>How long all of it took where the user asked for that.</returns>
    public async Task<TimeSpan> AuditAsync(SourceAttempt attempt, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        foreach ((ImageMigration image, string identity) in images.Zip(attempt.Images))
        {
            if (!image.IsTracked && !options.VerifiesFully)
            {
                continue;
            }

            AuditResult audit = await AuditAsync(image, identity, attempt, cancellationToken);
            if (audit.Different.Count > 0)
            {
                throw new DiskSyncException(
                    FailureKind.Source,
                    $"{identity} was handed over with epoch {attempt.Epoch}, and {audit.Different.Count} of {audit.Audited} blocks that were read of it since are not what the destination got, the first at offset {image.Sender.Geometry.OffsetOf(audit.Different[0])}: writes were lost by whoever tracked them ({image.SourceBasis})",
                    $"Stop the machine at the destination. The source's copy is whole ({FileSourceImages.CededName(identity, attempt.Epoch)}): 'disksync diff' shows where they differ.");
            }
        }

        return options.VerifiesFully ? Stopwatch.GetElapsedTime(start) : TimeSpan.Zero;
    }

    /// <summary>Whatever ends the reading now, the images have moved, and whoever hears of it must hear that first.</summary>
    private async Task<AuditResult> AuditAsync(
        ImageMigration image, string identity, SourceAttempt attempt, CancellationToken cancellationToken)
    {
        string moved = $"{identity} was handed over with epoch {attempt.Epoch} and the machine runs at the destination";
        string advice = $"Compare the two with 'disksync diff': the source's copy is {FileSourceImages.CededName(identity, attempt.Epoch)}.";
        try
        {
            return await Task.Run(() => image.Audit(options.VerifiesFully, progress, cancellationToken), cancellationToken);
        }
        catch (OperationCanceledException exception)
        {
            throw new DiskSyncException(FailureKind.Interrupted, $"{moved}; reading the source once more was stopped", advice, exception);
        }
        catch (DiskSyncException exception)
        {
            throw new DiskSyncException(exception.Kind, $"{moved}; the source could not be read once more: {exception.Message}", advice, exception);
        }
    }

    /// <summary>Runs rounds for as long as each leaves less than the one before.</summary>
    private static async Task ShrinkAsync(List<ImageMigration> images, int maxRounds, CancellationToken cancellationToken)
    {
        long before = long.MaxValue;
        long last = images.Sum(i => i.Pending());
        for (int round = 0; round < maxRounds && ForecastModel.IsConverging(before, last); round++)
        {
            before = last;
            await RunRoundAsync(images, CopyPhase.DeltaRound, cancellationToken);
            last = images.Sum(i => i.Pending());
        }
    }

    private static async Task RunRoundAsync(List<ImageMigration> images, CopyPhase phase, CancellationToken cancellationToken)
    {
        foreach (ImageMigration image in images)
        {
            await image.RunRoundAsync(phase, cancellationToken);
        }
    }
}
