using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Handoff.Ownership;

/// <summary>What the destination's word means for a source that has ceded: DONE, PINNED, or its own again.</summary>
/// <remarks>The caller holds the images' locks. Not thread safe.</remarks>
/// <param name="journal">This host's journal.</param>
/// <param name="guard">Takes back.</param>
/// <param name="clock">For the times in the journal.</param>
/// <param name="onPinned">Called when PINNED is durable.</param>
internal sealed class SourceConclusion(IOwnershipJournal journal, PauseGuard guard, TimeProvider clock, Action onPinned)
{
    // Longer than any durable record takes: whoever is silent for so long is as good as cut off.
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(60);

    /// <summary>Asks, and records what follows from the answer.</summary>
    /// <param name="attempt">The attempt: ceded, pinned or done here.</param>
    /// <param name="ask">The question.</param>
    /// <param name="link">The destination.</param>
    /// <param name="committed">Whether the question had it take over, so that news of its guest follows.</param>
    /// <param name="cancellationToken">Stops waiting for those news.</param>
    public async Task<HandOverResult> ConcludeAsync(
        SourceAttempt attempt, Func<Task<AttemptStanding>> ask, IHandOverLink link, bool committed, CancellationToken cancellationToken)
    {
        (AttemptStanding? answer, Exception? cause) = await TryAsync(() => ask().WaitAsync(AnswerLimit, CancellationToken.None));
        if (answer is not { } standing)
        {
            return journal.Read().Last(attempt.Images[0])?.Kind switch
            {
                AttemptState.Done => new HandOverResult(
                    HandOverState.Done, attempt.Id, attempt.Epoch, "The destination owns; it could not be asked how its guest is.", Cause: cause),
                AttemptState.Pinned => Pinned(attempt, "It could not be asked how far it is.") with { Cause = cause },
                _ => InDoubt(attempt, "The destination's answer did not arrive.", cause),
            };
        }

        bool ceded = journal.Read().Open(attempt.Id, AttemptRole.Source).All(e => e.Kind == AttemptState.Ceded);
        if (standing.IsOwner)
        {
            return await DoneAsync(attempt, standing, link, committed, cancellationToken);
        }

        if (standing.State == AttemptState.Done && standing.Epoch > attempt.Epoch)
        {
            return await guard.TakeBackAsync(attempt, standing.Epoch, "The destination handed back.");
        }

        if (standing.State == AttemptState.Refused && ceded)
        {
            return await guard.TakeBackAsync(attempt, attempt.Epoch + 1, "The destination refused the attempt.");
        }

        return InDoubt(
            attempt,
            standing.State == AttemptState.None
                ? "The destination does not know the attempt: its journal was lost, or it is another host or another --state folder than before."
                : $"The destination says {standing.State} (epoch {standing.Epoch}). {standing.Reason}",
            cause: null);
    }

    private async Task<HandOverResult> DoneAsync(
        SourceAttempt attempt, AttemptStanding standing, IHandOverLink link, bool committed, CancellationToken cancellationToken)
    {
        // Never by what was sent from here: only its own durable word says that it needs nothing from here any more.
        AttemptState next = standing.IsIncomplete ? AttemptState.Pinned : AttemptState.Done;
        DateTimeOffset now = clock.GetUtcNow();
        journal.Append(view => [.. view.Open(attempt.Id, AttemptRole.Source)
            .Where(e => e.Kind != next && e.Kind is AttemptState.Ceded or AttemptState.Pinned)
            .Select(e => e.Next(next, attempt.Epoch, now))]);
        if (standing.IsIncomplete)
        {
            onPinned();
        }

        HandOverState state = standing.IsIncomplete ? HandOverState.Pinned : HandOverState.Done;
        string still = standing.IsIncomplete ? " It fetches what it misses from here, where the images stay frozen until it has all." : string.Empty;
        if (standing.State is AttemptState.Running or AttemptState.RunningIncomplete)
        {
            return new HandOverResult(
                state, attempt.Id, attempt.Epoch, $"The destination owns and its guest runs.{still}", new ResumeReport(Running: true, 0, string.Empty));
        }

        if (!committed)
        {
            return new HandOverResult(
                state, attempt.Id, attempt.Epoch, $"The destination owns, and has not resumed its guest yet: run 'disksync owner' there.{still}");
        }

        // Ownership has moved; all that is left is news of the guest, so a broken link is not an error any more.
        ResumeReport? resume = null;
        Exception? cause = null;
        try
        {
            resume = await link.WaitRunningAsync(attempt.Id, cancellationToken);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            cause = e;
        }

        string message = resume switch
        {
            { Running: true } => "The destination owns and its guest runs.",
            { } failed => $"The destination owns, but {failed.Describe()}. Repair that there and run "
                + "'disksync owner' there, or hand back with 'disksync owner --return' there and then 'disksync owner' here.",
            null => "The destination owns; whether its guest runs is not known. Ask there with 'disksync owner' before the paused guest here is removed.",
        };
        return new HandOverResult(state, attempt.Id, attempt.Epoch, message + still, resume, cause);
    }

    /// <summary>Asks; no answer is an answer too.</summary>
    internal static async Task<(AttemptStanding? Answer, Exception? Cause)> TryAsync(Func<Task<AttemptStanding>> ask)
    {
        try
        {
            return (await ask(), null);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return (null, e);
        }
    }

    /// <summary>Ceded, and the destination has not said what became of that.</summary>
    internal static HandOverResult InDoubt(SourceAttempt attempt, string why, Exception? cause) => new(
        HandOverState.InDoubt,
        attempt.Id,
        attempt.Epoch,
        $"{why} The images were ceded with epoch {attempt.Epoch} and stay paused here. Run 'disksync owner {attempt.Images[0]}' when "
            + "the destination can be reached; if it never will be and is fenced, 'disksync owner --force' takes back.",
        Cause: cause);

    /// <summary>The destination owns and needs the frozen images still.</summary>
    internal static HandOverResult Pinned(SourceAttempt attempt, string why) => new(
        HandOverState.Pinned,
        attempt.Id,
        attempt.Epoch,
        $"The destination owns (epoch {attempt.Epoch}) and fetches what it misses from here, where the images stay frozen until it has all. {why}");
}
