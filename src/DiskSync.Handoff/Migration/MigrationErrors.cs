using DiskSync.Engine;
using DiskSync.Handoff.Ownership;

namespace DiskSync.Handoff.Migration;

/// <summary>How a migration that does not end as it should is told.</summary>
internal static class MigrationErrors
{
    /// <summary>Refuses a pause that is forecast to last longer than is accepted.</summary>
    public static void RefuseTooLong(Forecast forecast, TimeSpan maxDowntime)
    {
        if (forecast.Total > maxDowntime)
        {
            throw new DiskSyncException(
                FailureKind.NotConverged,
                $"the forecast of the downtime, {forecast.Total.TotalSeconds:0.00} s (scan {forecast.Scan.TotalSeconds:0.00}, delta {forecast.Delta.TotalSeconds:0.00}, flush {forecast.Flush.TotalSeconds:0.00}, hooks {forecast.Hooks.TotalSeconds:0.00}), does not fit --max-downtime {maxDowntime.TotalSeconds:0.00} s; the guest was not paused",
                "Allow more with --max-downtime, or run it again when the guest writes less; what was copied is kept.");
        }
    }

    /// <summary>Throws unless the destination owns and its guest runs.</summary>
    public static void ThrowUnlessDone(HandOverResult outcome, SourceAttempt attempt)
    {
        switch (outcome)
        {
            case { State: HandOverState.Done or HandOverState.Pinned, Resume: { Running: true } }:
                return;
            case { State: HandOverState.Done or HandOverState.Pinned, Resume: null }:
                // Moved, but not done: whoever hears "done" removes the guest that may be the only one.
                throw new DiskSyncException(
                    outcome.Cause is OperationCanceledException ? FailureKind.Interrupted : FailureKind.Transport,
                    $"the destination owns epoch {outcome.Epoch}; whether its guest runs is not known",
                    "The source stays paused. At the destination, 'disksync owner' says how its guest is, and resumes it where that is left to do.",
                    outcome.Cause);
            case { State: HandOverState.Done or HandOverState.Pinned, Resume: { } failed }:
                throw new DiskSyncException(
                    FailureKind.Destination,
                    $"the destination owns epoch {outcome.Epoch}, but {failed.Describe()}",
                    $"The source stays paused. At the destination: mend that and run 'disksync owner', or hand back with 'disksync owner --return'; then run 'disksync owner {attempt.Images[0]}' here.");
            default:
                throw new DiskSyncException(
                    FailureKind.OwnershipInDoubt,
                    outcome.Message,
                    $"Nothing may be started by hand. Run 'disksync owner {attempt.Images[0]}' here, or the same migrate again, when the destination can be reached.",
                    outcome.Cause);
        }
    }

    /// <summary>Throws unless the destination has become whole: it may have been told to give back what it had.</summary>
    public static void ThrowUnlessWhole(HandOverResult outcome, SourceAttempt attempt)
    {
        if (outcome.State != HandOverState.Done)
        {
            throw new DiskSyncException(
                outcome.State is HandOverState.SourceRuns or HandOverState.Nothing ? FailureKind.Destination : FailureKind.OwnershipInDoubt,
                $"the destination has not kept the images until they were whole: {outcome.Message}",
                $"'disksync owner {attempt.Images[0]}' says how it stands.",
                outcome.Cause);
        }
    }

    /// <summary>The error of an attempt that was called off while the guest was paused: its cause, and how the guest is now.</summary>
    public static DiskSyncException CalledOff(HandOverResult off, Switchover switchover, CancellationToken cancellationToken)
    {
        const string Again = "Run the same command again; what was copied is kept.";
        (FailureKind kind, string reason, string advice) = off.Cause switch
        {
            DiskSyncException known => (known.Kind, known.Message, known.Advice),
            OperationCanceledException when cancellationToken.IsCancellationRequested =>
                (FailureKind.Interrupted, "stopped by its user while the guest was paused", Again),
            OperationCanceledException => (
                FailureKind.NotConverged,
                $"the pause did not fit the accepted downtime of {switchover.MaxDowntime.TotalSeconds:0.00} s (the forecast was {switchover.Forecast.Total.TotalSeconds:0.00} s)",
                "Allow more with --max-downtime, or run it again when the guest writes less; what was copied is kept."),
            { } unknown => (FailureKind.Destination, $"the hand-over failed: {unknown.Message}", Again),
            null => (FailureKind.Destination, "the destination refused", Again),
        };
        return new DiskSyncException(
            off.State == HandOverState.SourceOwnsButPaused ? FailureKind.OwnershipInDoubt : kind,
            $"{reason}{(reason.EndsWith('.') ? " " : ". ")}{off.Message}",
            advice,
            off.Cause);
    }
}
