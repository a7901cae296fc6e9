using DiskSync.Codecs;
using DiskSync.Engine;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Handoff.Hypervisors;

namespace DiskSync.Handoff.Ownership;

/// <summary>S of design section 5: begins an attempt, cedes, and knows how to go on from every record that a crash can leave.</summary>
/// <remarks>
/// <para>
/// Order of a hand-over: PAUSED durable, pause, (the caller's last delta), PREPARE answered, images made
/// unusable, CEDED durable, only then COMMIT, then DONE (PINNED first, where parts are missing) or, after REFUSED, OWNER(N+2).
/// </para>
/// <para>
/// Cancellation is honoured until the images are made unusable and ignored from there to the answer, whose
/// absence is no exception but <see cref="HandOverState.InDoubt"/>. Not thread safe; several processes are kept
/// apart by the locks and the journal.
/// </para>
/// </remarks>
public sealed class SourceHandOver
{
    // Nothing waits for this answer; the next migrate asks again.
    private static readonly TimeSpan ReleaseLimit = TimeSpan.FromSeconds(10);

    private readonly IOwnershipJournal _journal;
    private readonly ISourceImages _images;
    private readonly IImageWitness _witness;
    private readonly IOwnershipLocks _locks;
    private readonly TimeProvider _clock;
    private readonly PauseGuard _guard;
    private readonly SourceConclusion _conclusion;

    /// <summary>Puts the source's side over its journal, images and guest.</summary>
    public SourceHandOver(
        IOwnershipJournal journal,
        ISourceImages images,
        IImageWitness witness,
        IOwnershipLocks locks,
        IHypervisor hypervisor,
        TimeProvider clock)
    {
        _journal = journal;
        _images = images;
        _witness = witness;
        _locks = locks;
        _clock = clock;
        _guard = new PauseGuard(journal, images, hypervisor, clock);
        _conclusion = new SourceConclusion(journal, _guard, clock, () => OnPinned?.Invoke());
    }

    /// <summary>Called as soon as PINNED is durable: the machine at the destination may wait for what is served from here, its very start may.</summary>
    public Action? OnPinned { get; set; }

    /// <summary>Takes the locks of an attempt that is pinned here, so that its images can be served.</summary>
    /// <param name="image">Any image of the attempt.</param>
    /// <returns>The attempt; dispose it when it is over. Null where nothing is pinned.</returns>
    /// <exception cref="DiskSyncException">Another process is at it.</exception>
    public SourceAttempt? TakePinned(string image)
    {
        OwnershipView view = _journal.Read();
        if (view.Last(image) is not { Kind: AttemptState.Pinned } last)
        {
            return null;
        }

        IDisposable locks = _locks.TryAcquire(last.Images, besideExports: true) ?? throw OwnershipErrors.Busy(last.Images);
        if (_journal.Read().Last(image) is { Kind: AttemptState.Pinned } still && still.Attempt == last.Attempt)
        {
            OwnershipEntry first = view.First(image, last.Attempt)!;
            return new SourceAttempt(first.Attempt, first.Epoch, first.Images, first.Peer, first.Command, locks);
        }

        locks.Dispose();
        return null;
    }

    /// <summary>Checks that every image is owned here (one never seen is adopted as OWNER(1)), locks them and picks the attempt's id and epoch.</summary>
    /// <param name="images">Image identities, each once; at least one.</param>
    /// <param name="peer">The destination as the user named it; kept for <c>disksync owner</c>.</param>
    /// <param name="unpause">What the machine has the journal keep (<see cref="ISourceMachine.Record"/>), so that <c>disksync owner</c> can let it go on. Empty for none.</param>
    /// <param name="lent">Images whose exports have lent them to this attempt; any other that is exported is refused.</param>
    /// <returns>The attempt; dispose it when it is over.</returns>
    /// <exception cref="DiskSyncException">An image is not this host's to give, or an earlier attempt must be resolved first.</exception>
    public SourceAttempt Begin(IReadOnlyList<string> images, string peer, string unpause, IReadOnlyCollection<string>? lent = null)
    {
        ArgumentNullException.ThrowIfNull(images);
        if (images.Count == 0 || images.Distinct(StringComparer.Ordinal).Count() != images.Count)
        {
            throw new DiskSyncException(FailureKind.Usage, "an attempt needs at least one image, and each only once", "Name each image once.");
        }

        IDisposable locks = _locks.TryAcquire(images, besideExports: true) ?? throw OwnershipErrors.Busy(images);
        try
        {
            if (images.FirstOrDefault(i => lent?.Contains(i) != true && _locks.IsServed(i)) is { } served)
            {
                throw OwnershipErrors.Served(served);
            }

            DateTimeOffset now = _clock.GetUtcNow();
            OwnershipView view = _journal.Append(view =>
            {
                List<OwnershipEntry> adopted = [];
                foreach (string image in images)
                {
                    OwnershipJudgement judgement = OwnershipJudge.Judge(view, image, _witness.Look(image));
                    if (judgement.Verdict == OwnershipVerdict.Unseen && judgement.Witness.Exists)
                    {
                        adopted.Add(new OwnershipEntry(
                            image, Guid.Empty, 1, AttemptState.Owner, Hash256.Unknown, now, string.Empty, string.Empty, [image]));
                    }
                    else if (judgement.Verdict == OwnershipVerdict.Unseen)
                    {
                        throw new DiskSyncException(FailureKind.Source, $"source {image}: there is no such image", "Check the path.");
                    }
                    else if (judgement.Verdict != OwnershipVerdict.Owner)
                    {
                        throw OwnershipErrors.MayNot(judgement, Side.Source);
                    }
                }

                return adopted;
            });
            return new SourceAttempt(Guid.NewGuid(), images.Max(view.HighestEpoch) + 1, [.. images], peer, unpause, locks);
        }
        catch
        {
            locks.Dispose();
            throw;
        }
    }

    /// <summary>Has the destination let go of earlier attempts that were called off here, so that it lets their staged copies be written again.</summary>
    /// <remarks>
    /// Call it before the targets are opened. A called-off attempt whose Refuse never arrived is PREPARED there for
    /// good otherwise: D never decides alone.
    /// </remarks>
    /// <param name="attempt">The new attempt.</param>
    /// <param name="link">The destination.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="DiskSyncException">The link broke, or the destination owns an attempt that was called off here (<c>owner --force</c> was used).</exception>
    public async Task ReleaseEarlierAsync(SourceAttempt attempt, IHandOverLink link, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(attempt);
        ArgumentNullException.ThrowIfNull(link);
        OwnershipView view = _journal.Read();
        foreach (Guid earlier in attempt.Images.SelectMany(image => CalledOff(view, image)).Distinct())
        {
            AttemptStanding standing = await link.QueryAsync(earlier, cancellationToken);
            if (standing.State.IsPrepared())
            {
                standing = await link.RefuseAsync(earlier, standing.Epoch, cancellationToken);
            }

            if (standing.IsOwner)
            {
                throw OwnedThere(attempt.Images[0]);
            }
        }
    }

    // Since the image was last given away: what came before that, the destination has long let go of.
    private static IEnumerable<Guid> CalledOff(OwnershipView view, string image) => view.Of(image)
        .Reverse()
        .TakeWhile(e => e.Kind != AttemptState.Done)
        .Where(e => e.Kind == AttemptState.Owner && view.RoleOf(image, e.Attempt) == AttemptRole.Source)
        .Select(e => e.Attempt);

    /// <summary>PAUSED durable, then the pause; see <see cref="PauseGuard.PauseAsync"/>.</summary>
    public Task<long> PauseAsync(SourceAttempt attempt, ISourceMachine machine, CancellationToken cancellationToken) =>
        _guard.PauseAsync(attempt, machine, cancellationToken);

    /// <summary>Calls the attempt off (never after CEDED) and lets the destination know where it can be reached.</summary>
    /// <param name="attempt">The attempt, paused.</param>
    /// <param name="link">To tell the destination, after the guest runs again; null where there is none.</param>
    public async Task<HandOverResult> CallOffAsync(SourceAttempt attempt, IHandOverLink? link)
    {
        HandOverResult result = await _guard.CallOffAsync(attempt);
        if (link is not null && result.State is HandOverState.SourceRuns or HandOverState.SourceOwnsButPaused)
        {
            await ReleaseAsync(attempt, link);
        }

        return result;
    }

    /// <summary>Moves ownership: PREPARE, make unusable, CEDED, COMMIT, DONE.</summary>
    /// <param name="attempt">The attempt, paused by <see cref="PauseAsync"/>.</param>
    /// <param name="roots">The images' roots, which both sides have been shown to hold.</param>
    /// <param name="resume">The resume command or hook's name; empty for none.</param>
    /// <param name="withTail">Whether parts are still only here, of which the destination has been told: then the roots are those of its copies as they are, and PINNED follows CEDED instead of DONE.</param>
    /// <param name="link">The destination.</param>
    /// <param name="confirmCeded">Called when the images have their ceded names: throws where one of them is not what was copied.</param>
    /// <param name="cancellationToken">Honoured until the images are made unusable.</param>
    /// <returns>Done, or Pinned where parts are missing; or, where it failed or was stopped before CEDED or the destination refused, SourceRuns or SourceOwnsButPaused, with the cause; or InDoubt: call <see cref="ResolveAsync(SourceAttempt, IHandOverLink, CededWish, CancellationToken)"/> with a new link.</returns>
    public async Task<HandOverResult> HandOverAsync(
        SourceAttempt attempt,
        IReadOnlyList<Hash256> roots,
        string resume,
        bool withTail,
        IHandOverLink link,
        Action confirmCeded,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(attempt);
        ArgumentNullException.ThrowIfNull(roots);
        ArgumentNullException.ThrowIfNull(confirmCeded);
        ArgumentNullException.ThrowIfNull(link);
        try
        {
            await link.PrepareAsync(attempt.Id, attempt.Epoch, [.. attempt.Images.Zip(roots)], resume, withTail, cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
            foreach (string image in attempt.Images)
            {
                await _images.MakeUnusableAsync(image, attempt.Epoch);
            }

            confirmCeded();
            Cede(attempt, roots);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // A failed append may have been written all the same; CallOffAsync looks, and does nothing once CEDED is there.
            return await CallOffAsync(attempt, link) with { Cause = e };
        }

        // From here on nothing but the destination's durable word decides.
        return await _conclusion.ConcludeAsync(
            attempt, () => link.CommitAsync(attempt.Id, attempt.Epoch, CancellationToken.None), link, committed: true, cancellationToken);
    }

    /// <summary>Goes on from whatever the journal's last record is: what <c>migrate</c> run again and <c>disksync owner</c> do.</summary>
    /// <param name="image">Any image of the attempt.</param>
    /// <param name="link">The destination, or null where it cannot be reached; only CEDED needs it.</param>
    /// <param name="wish">Which way to go where both are open.</param>
    /// <param name="cancellationToken">Stops waiting for the destination's guest; the ownership itself is not given up half way.</param>
    /// <returns>What holds now; <see cref="HandOverState.Nothing"/> where this host is not a source with something open.</returns>
    /// <exception cref="DiskSyncException">Another process is at it, or the journal or the names cannot be written.</exception>
    public async Task<HandOverResult> ResolveAsync(string image, IHandOverLink? link, CededWish wish, CancellationToken cancellationToken)
    {
        OwnershipJudgement judgement = OwnershipJudge.Judge(_journal.Read(), image, _witness.Look(image));
        if (judgement.Verdict == OwnershipVerdict.InDoubt)
        {
            throw OwnershipErrors.MayNot(judgement, Side.Source);
        }

        if (judgement.Role != AttemptRole.Source)
        {
            return new HandOverResult(HandOverState.Nothing, Guid.Empty, judgement.Epoch, "There is nothing to resolve at this host as a source.");
        }

        using IDisposable locks = _locks.TryAcquire(judgement.Last!.Images, besideExports: true) ?? throw OwnershipErrors.Busy(judgement.Last.Images);
        OwnershipView view = _journal.Read();
        var attempt = SourceAttempt.FromJournal(view.First(image, view.Last(image)!.Attempt)!);
        return await ResolveAsync(attempt, link, wish, cancellationToken);
    }

    /// <summary>The same for an attempt of this process, whose locks it holds: after an answer of InDoubt, with a new link.</summary>
    /// <param name="attempt">The attempt.</param>
    /// <param name="link">The destination, or null where it cannot be reached.</param>
    /// <param name="wish">Which way to go where both are open.</param>
    /// <param name="cancellationToken">Stops waiting for the destination's guest.</param>
    public async Task<HandOverResult> ResolveAsync(SourceAttempt attempt, IHandOverLink? link, CededWish wish, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(attempt);
        if (_journal.Read().Open(attempt.Id, AttemptRole.Source) is not [var last, ..])
        {
            return new HandOverResult(HandOverState.Nothing, attempt.Id, attempt.Epoch, "The images have moved on to a later attempt.");
        }

        switch (last.Kind)
        {
            case AttemptState.Paused:
                return await ResolvePausedAsync(attempt, link, cancellationToken);
            case AttemptState.Owner:
                return await _guard.FinishAsync(attempt, "The source owns; what was left open has been finished.");
            case AttemptState.Ceded when link is null:
                return SourceConclusion.InDoubt(attempt, "The destination cannot be reached.", cause: null);
            case AttemptState.Ceded:
                return await _conclusion.ConcludeAsync(
                    attempt, () => AskAsync(attempt, link, wish), link, committed: wish == CededWish.Complete, cancellationToken);
            case AttemptState.Done or AttemptState.Pinned when link is not null:
                return await _conclusion.ConcludeAsync(
                    attempt, () => link.QueryAsync(attempt.Id, cancellationToken), link, committed: false, cancellationToken);
            case AttemptState.Pinned:
                return SourceConclusion.Pinned(attempt, "It could not be asked how far it is.");
            case AttemptState.Done:
                return new HandOverResult(HandOverState.Done, attempt.Id, last.Epoch, "The destination owns; the source is done.");
            default:
                return new HandOverResult(HandOverState.Nothing, attempt.Id, last.Epoch, "There is nothing to resolve: the source owns and its guest runs.");
        }
    }

    /// <summary>The operator's word that the destination is fenced (<c>owner --force</c> at the source): takes back what was ceded, with a new epoch.</summary>
    /// <param name="image">Any image of the attempt; its last record must be CEDED, PINNED or DONE.</param>
    public async Task<HandOverResult> ForceAsync(string image)
    {
        OwnershipView view = _journal.Read();
        OwnershipEntry? last = view.Last(image);
        if (last?.Kind is not (AttemptState.Ceded or AttemptState.Pinned or AttemptState.Done) || view.RoleOf(image, last.Attempt) != AttemptRole.Source)
        {
            throw OwnershipErrors.Moved(image, last, "taking it back by force");
        }

        using IDisposable locks = _locks.TryAcquire(last.Images, besideExports: true) ?? throw OwnershipErrors.Busy(last.Images);
        var attempt = SourceAttempt.FromJournal(view.First(image, last.Attempt)!);
        ulong epoch = attempt.Images.Max(i => Math.Max(view.HighestEpoch(i), _witness.Look(i).Epoch)) + 1;
        return await _guard.TakeBackAsync(attempt, epoch, "By the operator's word the destination is fenced.");
    }

    private async Task<HandOverResult> ResolvePausedAsync(SourceAttempt attempt, IHandOverLink? link, CancellationToken cancellationToken)
    {
        // Nobody need be asked. But where the destination can be reached, an `owner --force` that was given there
        // while this host was down is noticed before two guests run.
        if (link is not null && await SourceConclusion.TryAsync(() => link.QueryAsync(attempt.Id, cancellationToken)) is ({ IsOwner: true }, _))
        {
            IReadOnlyList<OwnershipEntry> open = _journal.Read().Open(attempt.Id, AttemptRole.Source);
            foreach (OwnershipEntry entry in open)
            {
                await _images.MakeUnusableAsync(entry.Image, attempt.Epoch);
            }

            Cede(attempt, [.. open.Select(e => e.Root)]);
            return await _conclusion.ConcludeAsync(
                attempt, () => link.QueryAsync(attempt.Id, cancellationToken), link, committed: false, cancellationToken);
        }

        return await CallOffAsync(attempt, link);
    }

    private static async Task<AttemptStanding> AskAsync(SourceAttempt attempt, IHandOverLink link, CededWish wish)
    {
        AttemptStanding standing = await link.QueryAsync(attempt.Id, CancellationToken.None);
        return wish == CededWish.Complete && (standing.State.IsPrepared() || standing.State.IsUnfinished())
            ? await link.CommitAsync(attempt.Id, attempt.Epoch, CancellationToken.None)
            : wish == CededWish.CallOff && standing.State.IsPrepared()
            ? await link.RefuseAsync(attempt.Id, attempt.Epoch, CancellationToken.None)
            : standing;
    }

    private void Cede(SourceAttempt attempt, IReadOnlyList<Hash256> roots) => _journal.Append(view =>
    {
        IReadOnlyList<OwnershipEntry> open = view.Open(attempt.Id, AttemptRole.Source);
        return open.Count == attempt.Images.Count && open.All(e => e.Kind == AttemptState.Paused)
            ? attempt.Entries(AttemptState.Ceded, _clock.GetUtcNow(), roots)
            : throw OwnershipErrors.Moved(attempt.Images[0], view.Last(attempt.Images[0]), "CEDED");
    });

    private static async Task ReleaseAsync(SourceAttempt attempt, IHandOverLink link)
    {
        using CancellationTokenSource patience = new(ReleaseLimit);
        (AttemptStanding? answer, _) = await SourceConclusion.TryAsync(() => link.RefuseAsync(attempt.Id, attempt.Epoch, patience.Token));
        if (answer is { IsOwner: true })
        {
            throw OwnedThere(attempt.Images[0]);
        }
    }

    private static DiskSyncException OwnedThere(string image) => new(
        FailureKind.OwnershipInDoubt,
        $"source {image}: an attempt was called off here, yet the destination owns it: 'owner --force' was used on one of the two",
        "Two guests may be running. Stop one now, keep its host fenced, and find out which holds the data that you need.");
}
