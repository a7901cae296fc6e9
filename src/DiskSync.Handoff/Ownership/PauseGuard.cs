using DiskSync.Engine;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Handoff.Hooks;
using DiskSync.Handoff.Hypervisors;

namespace DiskSync.Handoff.Ownership;

/// <summary>Pauses the source's guest so that no crash can forget that it is paused, and lets it go on again.</summary>
/// <remarks>
/// PAUSED is durable before the machine is paused (or its hypervisor may pause it by itself); OWNER is durable before it is
/// unpaused, and RUNNING says that it was. A guest may therefore be unpaused twice, never be left paused unnoticed. Not thread safe; the
/// caller holds the images' locks.
/// </remarks>
public sealed class PauseGuard
{
    private readonly IOwnershipJournal _journal;
    private readonly ISourceImages _images;
    private readonly IHypervisor _hypervisor;
    private readonly TimeProvider _clock;

    /// <summary>Puts the guard over a journal, images and a guest.</summary>
    public PauseGuard(IOwnershipJournal journal, ISourceImages images, IHypervisor hypervisor, TimeProvider clock)
    {
        _journal = journal;
        _images = images;
        _hypervisor = hypervisor;
        _clock = clock;
    }

    /// <summary>Writes PAUSED, then pauses the machine.</summary>
    /// <param name="attempt">The attempt; each of its images must be owned here.</param>
    /// <param name="machine">The machine.</param>
    /// <param name="cancellationToken">Stops the copy of its memory.</param>
    /// <returns>Since when it stands still, as a timestamp.</returns>
    /// <exception cref="DiskSyncException">
    /// It could not be paused in time, or was stopped. It may be paused, so the attempt has been called off and the
    /// machine unpaused by then.
    /// </exception>
    public async Task<long> PauseAsync(SourceAttempt attempt, ISourceMachine machine, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(attempt);
        ArgumentNullException.ThrowIfNull(machine);
        _journal.Reserve();
        _journal.Append(view =>
        {
            foreach (string image in attempt.Images.Where(image => !view.MayRun(image)))
            {
                throw OwnershipErrors.Moved(image, view.Last(image), "PAUSED");
            }

            return attempt.Entries(AttemptState.Paused, _clock.GetUtcNow());
        });
        MachineResult result;
        try
        {
            result = await machine.PauseAsync(Context(attempt, GuestAction.Pause, attempt.Epoch), cancellationToken);
        }
        catch (OperationCanceledException exception)
        {
            HandOverResult stopped = await CallOffAsync(attempt);
            throw new DiskSyncException(
                stopped.State == HandOverState.SourceOwnsButPaused ? FailureKind.OwnershipInDoubt : FailureKind.Interrupted,
                $"source {attempt.Images[0]}: stopped before the machine was paused. {stopped.Message}",
                "Run the same command again; what was copied is kept.",
                exception);
        }

        if (!result.Succeeded)
        {
            HandOverResult off = await CallOffAsync(attempt);
            throw new DiskSyncException(
                off.State == HandOverState.SourceOwnsButPaused ? FailureKind.OwnershipInDoubt : result.Kind ?? FailureKind.Source,
                $"source {attempt.Images[0]}: {result.Problem}. {off.Message}",
                "Nothing was handed over. Mend that and run the migrate again.");
        }

        return result.Since;
    }

    /// <summary>Calls the attempt off before CEDED, which needs nobody's leave: OWNER(N), names as before, unpause, RUNNING(N).</summary>
    /// <returns>SourceRuns or SourceOwnsButPaused; InDoubt where CEDED turns out to be written, and then nothing was done.</returns>
    public async Task<HandOverResult> CallOffAsync(SourceAttempt attempt)
    {
        ArgumentNullException.ThrowIfNull(attempt);
        DateTimeOffset now = _clock.GetUtcNow();
        OwnershipView view = _journal.Append(view =>
        {
            IReadOnlyList<OwnershipEntry> open = view.Open(attempt.Id, AttemptRole.Source);
            return open.Count == attempt.Images.Count && open.All(e => e.Kind == AttemptState.Paused)
                ? [.. open.Select(e => e.Next(AttemptState.CalledOff, e.Epoch, now)),
                    .. open.Select(e => e.Next(AttemptState.Owner, view.OwnedEpoch(e.Image), now))]
                : [];
        });
        return view.Open(attempt.Id, AttemptRole.Source).All(e => e.Kind is AttemptState.Owner or AttemptState.Running)
            ? await FinishAsync(attempt, "The attempt was called off.")
            : new HandOverResult(HandOverState.InDoubt, attempt.Id, attempt.Epoch, "The images were ceded already; only the destination's answer decides.");
    }

    /// <summary>Takes back what was ceded, after the destination's word (or the operator's): OWNER(epoch), names, unpause, RUNNING(epoch).</summary>
    /// <param name="attempt">The attempt.</param>
    /// <param name="epoch">A new epoch, larger than the attempt's.</param>
    /// <param name="why">For the message.</param>
    public async Task<HandOverResult> TakeBackAsync(SourceAttempt attempt, ulong epoch, string why)
    {
        ArgumentNullException.ThrowIfNull(attempt);
        DateTimeOffset now = _clock.GetUtcNow();
        _journal.Append(view => [.. view.Open(attempt.Id, AttemptRole.Source)
            .Where(e => e.Kind is AttemptState.Ceded or AttemptState.Pinned or AttemptState.Done)
            .Select(e => epoch > view.HighestEpoch(e.Image)
                ? e.Next(AttemptState.Owner, epoch, now)
                : throw OwnershipErrors.Moved(e.Image, e, $"OWNER({epoch})"))]);
        return await FinishAsync(attempt, why);
    }

    /// <summary>Redoes from OWNER whatever a crash may have left out: the names, the unpause command, RUNNING.</summary>
    /// <param name="attempt">The attempt, of which this host owns the images again.</param>
    /// <param name="why">For the message.</param>
    public async Task<HandOverResult> FinishAsync(SourceAttempt attempt, string why)
    {
        ArgumentNullException.ThrowIfNull(attempt);
        IReadOnlyList<OwnershipEntry> open = _journal.Read().Open(attempt.Id, AttemptRole.Source);
        OwnershipEntry[] owned = [.. open.Where(e => e.Kind == AttemptState.Owner)];
        if (owned.Length == 0)
        {
            return new HandOverResult(HandOverState.SourceRuns, attempt.Id, open.Count > 0 ? open[0].Epoch : 0, why + " The guest runs at the source.");
        }

        foreach (OwnershipEntry entry in owned)
        {
            await _images.MakeUsableAsync(entry.Image, attempt.Epoch);
        }

        ulong epoch = owned[0].Epoch;
        MachineResult result = await UnpauseAsync(attempt, epoch);
        if (!result.Succeeded)
        {
            return new HandOverResult(
                HandOverState.SourceOwnsButPaused,
                attempt.Id,
                epoch,
                $"{why} The source owns with epoch {epoch}, but {result.Problem}. "
                    + $"The guest may still be paused: unpause it by hand or run 'disksync owner {attempt.Images[0]}'.");
        }

        DateTimeOffset now = _clock.GetUtcNow();
        _journal.Append(view => [.. view.Open(attempt.Id, AttemptRole.Source)
            .Where(e => e.Kind == AttemptState.Owner)
            .Select(e => e.Next(AttemptState.Running, e.Epoch, now))]);
        return new HandOverResult(HandOverState.SourceRuns, attempt.Id, epoch, $"{why} The source owns with epoch {epoch} and its guest runs.");
    }

    private async Task<MachineResult> UnpauseAsync(SourceAttempt attempt, ulong epoch)
    {
        try
        {
            return await _hypervisor.Source(attempt.Unpause).UnpauseAsync(Context(attempt, GuestAction.Unpause, epoch));
        }
        catch (DiskSyncException exception)
        {
            return MachineResult.Failed(exception);
        }
    }

    private HookContext Context(SourceAttempt attempt, GuestAction action, ulong epoch)
    {
        IReadOnlyList<OwnershipEntry> entries = _journal.Read().InAttempt(attempt.Id, AttemptRole.Source);
        return new HookContext(action, attempt.Id, epoch, attempt.Images, [.. entries.Select(e => e.Root)]);
    }
}
