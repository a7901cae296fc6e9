using System.Diagnostics;
using DiskSync.Engine;
using DiskSync.Engine.Replication;
using DiskSync.Handoff.Ownership;

namespace DiskSync.Handoff.Migration;

/// <summary>Asks again over new connections where an answer of the hand-over got lost, before the operator has to.</summary>
/// <param name="handOver">The source's side of the hand-over.</param>
/// <param name="dial">Opens a session with the destination.</param>
/// <param name="patience">How long the destination is asked whether its guest runs.</param>
/// <param name="events">Told what fails.</param>
internal sealed class LostAnswers(
    SourceHandOver handOver, Func<CancellationToken, Task<SourceSession>> dial, TimeSpan patience, IMigrationEvents events)
{
    // A destination that cannot be reached for so long is down, and not about to say anything.
    private static readonly TimeSpan LinkPatience = TimeSpan.FromSeconds(10);

    /// <summary>The destination's answer got lost: a new connection asks again, for a short while, before the operator has to.</summary>
    public async Task<HandOverResult> AskAgainAsync(SourceAttempt attempt, HandOverResult outcome)
    {
        for (int i = 0; i < 5 && outcome.State == HandOverState.InDoubt; i++)
        {
            await Task.Delay(TimeSpan.FromSeconds(i));
            try
            {
                await using SourceSession session = await dial(CancellationToken.None);
                outcome = await handOver.ResolveAsync(
                    attempt, new SessionHandOverLink(session), CededWish.Complete, CancellationToken.None);
            }
            catch (DiskSyncException exception)
            {
                events.Notice(exception.Message);
            }
        }

        return outcome;
    }

    /// <summary>The link broke while the destination's guest was being resumed: nobody may call that a success before the destination says RUNNING.</summary>
    public async Task<HandOverResult> AskForGuestAsync(
        SourceAttempt attempt, HandOverResult outcome, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        long reached = start;
        while (outcome.Resume is null && !cancellationToken.IsCancellationRequested
            && Stopwatch.GetElapsedTime(start) < patience
            && Stopwatch.GetElapsedTime(reached) < LinkPatience)
        {
            try
            {
                await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken);
                await using SourceSession session = await dial(cancellationToken);
                reached = Stopwatch.GetTimestamp();
                outcome = await handOver.ResolveAsync(
                    attempt, new SessionHandOverLink(session), CededWish.Complete, cancellationToken);
            }
            catch (Exception exception) when (exception is DiskSyncException or OperationCanceledException)
            {
                // It is asked again until the time is over.
            }
        }

        return outcome;
    }
}
