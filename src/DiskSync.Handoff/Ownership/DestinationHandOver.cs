using DiskSync.Codecs;
using DiskSync.Engine;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Handoff.Hooks;
using DiskSync.Handoff.Hypervisors;

namespace DiskSync.Handoff.Ownership;

/// <summary>D of design section 5: prepares, owns on COMMIT, refuses when asked, and redoes at start what OWNER promised.</summary>
/// <remarks>
/// Every answer is given after its record is durable. In PREPARED nothing is decided here alone. Safe for several
/// processes at once (a session that died half-open, its successor, and <c>disksync owner</c>): each decision is
/// one journal transaction, and the locks keep renames and hooks apart.
/// </remarks>
public sealed class DestinationHandOver
{
    private static readonly TimeSpan BusyPoll = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan BusyMargin = TimeSpan.FromSeconds(10);

    private readonly IOwnershipJournal _journal;
    private readonly IDestinationImages _images;
    private readonly IImageWitness _witness;
    private readonly IOwnershipLocks _locks;
    private readonly IHypervisor _hypervisor;
    private readonly HookCatalog _catalog;
    private readonly TimeProvider _clock;
    private readonly DestinationReturn _return;

    /// <summary>Puts the destination's side over its journal, copies and guest.</summary>
    /// <param name="journal">This host's journal.</param>
    /// <param name="images">The copies.</param>
    /// <param name="tails">Those of which parts were missing.</param>
    /// <param name="names">Makes a copy unusable again when it is handed back.</param>
    /// <param name="witness">Looks at seals and ceded names.</param>
    /// <param name="locks">This host's locks.</param>
    /// <param name="hypervisor">This host's machines.</param>
    /// <param name="catalog">What a peer may have run here.</param>
    /// <param name="clock">For the times in the journal.</param>
    public DestinationHandOver(
        IOwnershipJournal journal,
        IDestinationImages images,
        ITailImages tails,
        ISourceImages names,
        IImageWitness witness,
        IOwnershipLocks locks,
        IHypervisor hypervisor,
        HookCatalog catalog,
        TimeProvider clock)
    {
        _journal = journal;
        _images = images;
        _witness = witness;
        _locks = locks;
        _hypervisor = hypervisor;
        _catalog = catalog;
        _clock = clock;
        Tails = new TailConclusion(journal, tails, locks, clock);
        _return = new DestinationReturn(journal, images, names, locks, clock);
    }

    /// <summary>Ends the dependence on the source of images that are whole.</summary>
    public TailConclusion Tails { get; }

    /// <summary>Whether a session may open this target and write its staged copy; call it for every OpenImage, push included.</summary>
    /// <remarks>
    /// In PREPARED the staged copy is promised to a source that may have ceded: a write would spoil what a COMMIT
    /// on its way makes bootable. The source refuses the attempt first.
    /// </remarks>
    /// <param name="image">The identity that the finished image will have.</param>
    /// <exception cref="DiskSyncException">It may not; the message says why and what next.</exception>
    public void GuardTarget(string image)
    {
        OwnershipJudgement judgement = OwnershipJudge.Judge(_journal.Read(), image, _witness.Look(image));
        if (!judgement.MayReceive)
        {
            throw OwnershipErrors.MayNot(judgement, Side.Destination);
        }
    }

    /// <summary>Before anything is copied: whether this host would run what a source wants run, and whether that machine is ready.</summary>
    /// <param name="resume">What the source says.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="DiskSyncException">It would not, or it is not.</exception>
    public async Task CheckResumeAsync(string resume, CancellationToken cancellationToken)
    {
        _ = _catalog.Record(resume);
        await _hypervisor.Destination(_catalog.Resolve(resume)).CheckAsync(cancellationToken);
    }

    /// <summary>Step 1: checks the hook, flushes, verifies, compares the roots, asks whether the machine's memory is held, writes PREPARED for all images in one transaction.</summary>
    /// <param name="request">What the source asks.</param>
    /// <param name="cancellationToken">Honoured until PREPARED is written.</param>
    /// <exception cref="DiskSyncException">Nothing was promised: unknown hook, wrong root, an image that may not be received, an epoch that is not new.</exception>
    public async Task PrepareAsync(PrepareRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        string resume = _catalog.Record(request.Resume);
        string[] images = [.. request.Images.Select(i => i.Image)];
        if (images.Length == 0 || images.Distinct(StringComparer.Ordinal).Count() != images.Length || request.Attempt == Guid.Empty)
        {
            throw new DiskSyncException(FailureKind.Transport, "destination: a Prepare without images, with one image twice, or without an attempt", "The source does not keep to the protocol.");
        }

        using IDisposable locks = _locks.TryAcquire(images) ?? throw OwnershipErrors.Busy(images);
        if (IsPrepared(_journal.Read(), request))
        {
            return;
        }

        CheckReceivable(_journal.Read(), request);
        IReadOnlyList<Hash256> roots = await _images.VerifyAndRootsAsync(images, cancellationToken);
        for (int i = 0; i < images.Length; i++)
        {
            if (roots[i].IsUnknown || roots[i] != request.Images[i].Root)
            {
                throw new DiskSyncException(
                    FailureKind.Destination,
                    $"destination {images[i]}: the copy on the medium has the root {roots[i]}, the source has {request.Images[i].Root}",
                    "Nothing was handed over. Run the migrate again: it finds and sends the blocks that differ.");
            }
        }

        if (request.TailSources is not null)
        {
            await _images.StageTailsAsync(request, cancellationToken);
        }

        // Before the promise: a source that has ceded must find its machine here, whole.
        await _hypervisor.Destination(_catalog.Resolve(request.Resume)).CheckHeldAsync(cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        DateTimeOffset now = _clock.GetUtcNow();
        _journal.Append(view =>
        {
            CheckReceivable(view, request);
            return [.. request.Images.Select(i => new OwnershipEntry(
                i.Image, request.Attempt, request.Epoch, request.Kind, i.Root, now, request.Peer, resume, images))];
        });
    }

    /// <summary>Step 3: OWNER, if and only if the attempt is PREPARED; otherwise tells how it stands.</summary>
    /// <remarks>Send the answer at once, then call <see cref="FinishAsync"/>: from OWNER on, D goes on whatever the link does.</remarks>
    /// <param name="attempt">The attempt.</param>
    /// <param name="epoch">The epoch that the source says it ceded.</param>
    public AttemptStanding Commit(Guid attempt, ulong epoch)
    {
        DateTimeOffset now = _clock.GetUtcNow();
        OwnershipView view = _journal.Append(view => [.. view.Open(attempt, AttemptRole.Destination)
            .Where(e => e.Kind.IsPrepared() && e.Epoch == epoch)
            .Select(e => e.Next(e.Kind.Owned(), e.Epoch, now))]);
        return Standing(view, attempt);
    }

    /// <summary>Refuses the attempt durably if it is PREPARED; otherwise tells how it stands. A late COMMIT then finds REFUSED.</summary>
    /// <param name="attempt">The attempt.</param>
    /// <param name="reason">Who asked, for the answer.</param>
    /// <exception cref="DiskSyncException">The journal was restored: the attempt may be owned already, so nothing is refused.</exception>
    public AttemptStanding Refuse(Guid attempt, string reason)
    {
        DateTimeOffset now = _clock.GetUtcNow();
        OwnershipView view = _journal.Append(view =>
        {
            OwnershipEntry[] open = [.. view.Open(attempt, AttemptRole.Destination).Where(e => e.Kind.IsPrepared())];
            foreach (OwnershipEntry entry in open)
            {
                // A restored journal can end in PREPARED although the guest runs here: the seal knows better.
                OwnershipJudgement judgement = OwnershipJudge.Judge(view, entry.Image, _witness.Look(entry.Image));
                if (judgement.Verdict == OwnershipVerdict.InDoubt)
                {
                    throw OwnershipErrors.MayNot(judgement, Side.Destination);
                }
            }

            return [.. open.Select(e => e.Next(AttemptState.Refused, e.Epoch, now))];
        });
        return Standing(view, attempt) with { Reason = reason };
    }

    /// <summary>How the attempt stands; changes nothing.</summary>
    public AttemptStanding Query(Guid attempt) => Standing(_journal.Read(), attempt);

    /// <summary>How many bytes of an attempt's images are still at the source, as far as their presence maps say; null where one of them cannot be told.</summary>
    /// <param name="attempt">The attempt.</param>
    public long? MissingBytes(Guid attempt)
    {
        long missing = 0;
        foreach (OwnershipEntry entry in _journal.Read().InAttempt(attempt, AttemptRole.Destination).Where(e => e.Kind.IsIncomplete()))
        {
            if (_witness.Look(entry.Image).MissingBytes is not { } bytes)
            {
                return null;
            }

            missing += bytes;
        }

        return missing;
    }

    /// <summary>After OWNER: names and seals, then the resume command, then RUNNING. Idempotent; takes no token, for D in OWNER runs whatever the link does.</summary>
    /// <param name="attempt">The attempt.</param>
    /// <returns>What became of the guest; RUNNING already written is a success.</returns>
    /// <exception cref="DiskSyncException">A name or a seal could not be written; OWNER stays, and the next start tries again.</exception>
    public async Task<ResumeReport> FinishAsync(Guid attempt)
    {
        IReadOnlyList<OwnershipEntry> open = _journal.Read().Open(attempt, AttemptRole.Destination);
        string[] all = open.Count > 0 ? [.. open[0].Images] : [];
        using IDisposable locks = await AcquireAsync(all);
        OwnershipView view = _journal.Read();
        OwnershipEntry[] owned = [.. view.Open(attempt, AttemptRole.Destination).Where(e => e.Kind.IsUnfinished())];
        if (owned.Length == 0)
        {
            AttemptStanding standing = Standing(view, attempt);
            return standing.State is AttemptState.Running or AttemptState.RunningIncomplete
                ? new ResumeReport(Running: true, 0, string.Empty)
                : new ResumeReport(Running: false, -1, $"the attempt is {standing.State} here");
        }

        await _images.FinishImagesAsync([.. owned.Select(ImageToFinish.Of)]);
        MachineResult result;
        try
        {
            IDestinationMachine machine = _hypervisor.Destination(_catalog.ResolveRecorded(view.First(owned[0].Image, attempt)!.Command));
            result = await machine.ResumeAsync(new HookContext(
                GuestAction.Resume, attempt, owned[0].Epoch, [.. owned.Select(e => e.Image)], [.. owned.Select(e => e.Root)]));
        }
        catch (DiskSyncException e)
        {
            result = MachineResult.Failed(e);
        }

        if (!result.Succeeded)
        {
            return new ResumeReport(Running: false, result.ExitCode, result.Output);
        }

        DateTimeOffset now = _clock.GetUtcNow();
        _journal.Append(v => [.. v.Open(attempt, AttemptRole.Destination)
            .Where(e => e.Kind.IsUnfinished())
            .Select(e => e.Next(e.Kind.Started(), e.Epoch, now))]);
        return new ResumeReport(Running: true, 0, result.Output);
    }

    /// <summary>Redoes what a crash cut off: every image that is whole is said to be, every attempt in OWNER is finished and resumed, every begun return is ended.</summary>
    /// <remarks>Call it when a receiver starts. Images that another live process is at are left to it. One attempt's failure does not keep the others.</remarks>
    /// <returns>Per attempt that was open, what became of it: the guest's report, or the failure.</returns>
    /// <exception cref="JournalDamagedException">Nothing may be done here.</exception>
    public async Task<IReadOnlyList<(Guid Attempt, ResumeReport? Report, DiskSyncException? Failure)>> RecoverAtStartAsync()
    {
        List<(Guid, ResumeReport?, DiskSyncException?)> done = [];
        foreach ((string image, DiskSyncException failure) in Tails.Sweep())
        {
            done.Add((_journal.Read().Last(image)!.Attempt, null, failure));
        }

        OwnershipView view = _journal.Read();
        var open = view.Images
            .Select(image => view.Last(image)!)
            .Where(e => (e.Kind.IsUnfinished() || e.Kind == AttemptState.Paused) && view.RoleOf(e.Image, e.Attempt) == AttemptRole.Destination)
            .GroupBy(e => e.Attempt, e => e.Kind);
        foreach (IGrouping<Guid, AttemptState> group in open)
        {
            try
            {
                if (group.Contains(AttemptState.Paused))
                {
                    await _return.EndAsync(group.Key);
                    done.Add((group.Key, null, null));
                }
                else
                {
                    done.Add((group.Key, await FinishAsync(group.Key), null));
                }
            }
            catch (DiskSyncException e) when (e is not JournalDamagedException)
            {
                done.Add((group.Key, null, e));
            }
        }

        return done;
    }

    /// <summary>The operator's word that the source is fenced (<c>owner --force</c> at the destination): PREPARED becomes OWNER, then all as after COMMIT.</summary>
    /// <remarks>
    /// Only PREPARED: everything else here is either owned already or a copy that was never proven complete. And not with a
    /// tail: what is missing is nowhere but at that source, which may have gone on writing where it never ceded.
    /// </remarks>
    /// <param name="image">Any image of the attempt.</param>
    public async Task<ResumeReport> ForceAsync(string image)
    {
        OwnershipView view = _journal.Read();
        OwnershipEntry? last = view.Last(image);
        if (last?.Kind == AttemptState.PreparedTail)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"destination {image}: parts of it are only at {last.Peer}, so nothing here could run without that host",
                $"Bring {last.Peer} back and run 'disksync owner' there; to refuse instead, 'disksync owner --return {image}'.");
        }

        if (last?.Kind != AttemptState.Prepared)
        {
            throw OwnershipErrors.Moved(image, last, "taking it by force");
        }

        _ = Commit(last.Attempt, last.Epoch);
        return await FinishAsync(last.Attempt);
    }

    /// <summary>
    /// Hands back to the source (<c>owner --return</c> at the destination): PREPARED becomes REFUSED; OWNER whose
    /// guest never ran becomes DONE with epoch N+2, which the source takes when it asks next.
    /// </summary>
    /// <remarks>One way: once it is durable this host takes the image back only by a migration, or by the operator's word.</remarks>
    /// <param name="image">Any image of the attempt.</param>
    /// <param name="discardWrites">The operator's word that what was written here may be lost; only while parts are still at the source, which therefore has all that was there at the hand-over.</param>
    /// <param name="cancellationToken">Honoured until the return has begun.</param>
    /// <exception cref="DiskSyncException">The guest has run or has written here, so its data must be migrated back instead; or there is nothing to hand back.</exception>
    public async Task<AttemptStanding> ReturnAsync(string image, bool discardWrites, CancellationToken cancellationToken)
    {
        OwnershipView view = _journal.Read();
        OwnershipEntry? last = view.Last(image);
        if (last is not null && view.RoleOf(image, last.Attempt) == AttemptRole.Destination && last.Kind.IsPrepared())
        {
            return Refuse(last.Attempt, "refused by the operator of the destination");
        }

        // What is whole, though its export was killed before it could say so, is not given back.
        foreach (string one in last?.Images ?? [])
        {
            _ = Tails.Sweep(one);
        }

        await _return.RunAsync(image, discardWrites, cancellationToken);
        return Standing(_journal.Read(), last!.Attempt);
    }

    /// <summary>Waits for whoever is finishing the same attempt: a source that lost its link asks again while the hook still runs.</summary>
    private async Task<IDisposable> AcquireAsync(string[] images)
    {
        long start = _clock.GetTimestamp();
        while (true)
        {
            if (_locks.TryAcquire(images, besideExports: true) is { } locks)
            {
                return locks;
            }

            if (_clock.GetElapsedTime(start) > _hypervisor.Limit + BusyMargin)
            {
                throw OwnershipErrors.Busy(images);
            }

            await Task.Delay(BusyPoll, _clock);
        }
    }

    private static bool IsPrepared(OwnershipView view, PrepareRequest request)
    {
        IReadOnlyList<OwnershipEntry> open = view.Open(request.Attempt, AttemptRole.Destination);
        return open.Count == request.Images.Count && open.Zip(request.Images).All(p =>
            p.First.Kind == request.Kind
            && p.First.Epoch == request.Epoch
            && string.Equals(p.First.Image, p.Second.Image, StringComparison.Ordinal)
            && p.First.Root == p.Second.Root);
    }

    private void CheckReceivable(OwnershipView view, PrepareRequest request)
    {
        if (view.InAttempt(request.Attempt, AttemptRole.Destination) is [var known, ..])
        {
            throw OwnershipErrors.Moved(known.Image, known, "PREPARED");
        }

        foreach ((string image, _) in request.Images)
        {
            OwnershipJudgement judgement = OwnershipJudge.Judge(view, image, _witness.Look(image));
            if (!judgement.MayReceive)
            {
                throw OwnershipErrors.MayNot(judgement, Side.Destination);
            }

            ulong newest = Math.Max(view.HighestEpoch(image), judgement.Witness.Epoch);
            if (request.Epoch <= newest)
            {
                throw new DiskSyncException(
                    FailureKind.OwnershipInDoubt,
                    $"destination {image}: the source offers epoch {request.Epoch}, but epoch {newest} is known here already: the source's journal is older than this host's",
                    $"Run 'disksync owner' for {image} on both hosts and find out which holds the newest data.");
            }
        }
    }

    /// <summary>How an attempt stands by a journal.</summary>
    internal static AttemptStanding Standing(OwnershipView view, Guid attempt)
    {
        IReadOnlyList<OwnershipEntry> entries = view.InAttempt(attempt, AttemptRole.Destination);
        if (entries.Count == 0)
        {
            return new AttemptStanding(AttemptState.None, 0);
        }

        // All images of an attempt step together, but for the last step of those with a tail: the attempt needs its source
        // for as long as one of them does. A begun return is still owned to the source.
        OwnershipEntry entry = entries.FirstOrDefault(e => e.Kind.IsIncomplete()) ?? entries[0];
        return entry.Kind == AttemptState.Paused
            ? new AttemptStanding(
                entries.Any(e => view.IncompleteEpoch(e.Image) > 0) ? AttemptState.OwnerIncomplete : AttemptState.Owner,
                view.OwnedEpoch(entry.Image),
                "its return to the source has begun")
            : new AttemptStanding(entry.Kind, entry.Epoch);
    }
}
