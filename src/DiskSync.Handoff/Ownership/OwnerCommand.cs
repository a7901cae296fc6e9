using DiskSync.Codecs;
using DiskSync.Engine;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Handoff.Ownership;

/// <summary>What <c>disksync owner</c> does, on whichever side it is typed: report, resolve, <c>--force</c>, <c>--return</c>.</summary>
/// <remarks>Not thread safe; several processes are kept apart by the locks and the journal.</remarks>
public sealed class OwnerCommand
{
    private readonly IOwnershipJournal _journal;
    private readonly IImageWitness _witness;
    private readonly ISourceImages _names;
    private readonly IOwnershipLocks _locks;
    private readonly SourceHandOver _source;
    private readonly DestinationHandOver _destination;
    private readonly TimeProvider _clock;

    /// <summary>Puts the command over this host's journal and both of its parts.</summary>
    public OwnerCommand(
        IOwnershipJournal journal,
        IImageWitness witness,
        ISourceImages names,
        IOwnershipLocks locks,
        SourceHandOver source,
        DestinationHandOver destination,
        TimeProvider clock)
    {
        _journal = journal;
        _witness = witness;
        _names = names;
        _locks = locks;
        _source = source;
        _destination = destination;
        _clock = clock;
    }

    /// <summary>How the image stands; changes nothing.</summary>
    /// <exception cref="JournalDamagedException">The journal cannot be trusted; its message is the report.</exception>
    public OwnerReport Report(string image) => OwnerReport.Of(Judge(image));

    /// <summary>Where the source of the image's open attempt can ask: the peer of its last record, or empty.</summary>
    /// <remarks>A front end that gets an address makes the link and hands it to <see cref="ResolveAsync"/>.</remarks>
    public string PeerToAsk(string image) =>
        Judge(image) is { Role: AttemptRole.Source, Verdict: OwnershipVerdict.Ceded or OwnershipVerdict.Pinned or OwnershipVerdict.Elsewhere or OwnershipVerdict.Paused } judgement
            ? judgement.Last!.Peer
            : string.Empty;

    /// <summary><c>disksync owner IMAGE</c>: goes on from the last record, as far as this host may.</summary>
    /// <param name="image">The image's identity.</param>
    /// <param name="link">The destination, where this host is the source and it can be reached; else null.</param>
    /// <param name="cancellationToken">Stops waiting for the destination's guest.</param>
    public async Task<OwnerResult> ResolveAsync(string image, IHandOverLink? link, CancellationToken cancellationToken)
    {
        OwnershipJudgement judgement = Judge(image);
        switch (judgement.Verdict)
        {
            case OwnershipVerdict.OwnerUnfinished or OwnershipVerdict.IncompleteUnfinished when judgement.Role == AttemptRole.Destination:
                SweepTails(image);
                return Finished(image, await _destination.FinishAsync(judgement.Last!.Attempt));
            case OwnershipVerdict.Incomplete or OwnershipVerdict.Owner when judgement.Role == AttemptRole.Destination:
                SweepTails(image);
                return Result(image, string.Empty, resolved: true);
            case OwnershipVerdict.Returning:
                _ = await _destination.ReturnAsync(image, discardWrites: false, cancellationToken);
                return Result(image, "The return to the source is finished. Run 'disksync owner' there.", resolved: true);
            case OwnershipVerdict.InDoubt or OwnershipVerdict.Prepared:
                return Result(image, string.Empty, resolved: false);
            case OwnershipVerdict.Unseen or OwnershipVerdict.Owner or OwnershipVerdict.Refused:
                return Result(image, string.Empty, resolved: true);
            default:
                return Of(image, await _source.ResolveAsync(image, link, CededWish.Complete, cancellationToken));
        }
    }

    /// <summary><c>disksync owner --return IMAGE</c>: at the destination hands back to the source; at the source takes back what D has not taken yet.</summary>
    /// <param name="image">The image's identity.</param>
    /// <param name="link">The destination, where this host is the source.</param>
    /// <param name="discardWrites">At the destination, while parts are still at the source: whether what was written here may be lost.</param>
    /// <param name="cancellationToken">Honoured until the return has begun.</param>
    public async Task<OwnerResult> ReturnAsync(string image, IHandOverLink? link, bool discardWrites, CancellationToken cancellationToken)
    {
        OwnershipJudgement judgement = Judge(image);
        if (judgement.Verdict == OwnershipVerdict.InDoubt)
        {
            throw OwnershipErrors.MayNot(judgement, Side.Destination);
        }

        if (judgement.Role == AttemptRole.Source)
        {
            return Of(image, await _source.ResolveAsync(image, link, CededWish.CallOff, cancellationToken));
        }

        AttemptStanding standing = await _destination.ReturnAsync(image, discardWrites, cancellationToken);
        string peer = judgement.Last!.Peer.Length > 0 ? judgement.Last.Peer : "the source";
        return Result(
            image,
            standing.State == AttemptState.Refused
                ? $"The attempt is refused. Run 'disksync owner' on {peer}: it takes back what it may have ceded."
                : $"Handed back with epoch {standing.Epoch}. Run 'disksync owner' on {peer}: it takes over.",
            resolved: standing.State is AttemptState.Refused or AttemptState.Done);
    }

    /// <summary><c>disksync owner --force IMAGE</c>: the operator's word that no other host can write. Never asks anybody.</summary>
    /// <remarks>
    /// The caller has asked the operator. A damaged journal is put aside first, and then this one image is taken: every
    /// other image of the host stays in doubt until the same word is given for it.
    /// </remarks>
    public async Task<OwnerResult> ForceAsync(string image)
    {
        string? aside = _journal.PutDamagedAside(_clock.GetUtcNow());
        string note = aside is null ? string.Empty : $"The damaged journal was put aside as {aside}. ";
        OwnershipJudgement judgement = Judge(image);
        OwnerResult result = judgement switch
        {
            { Verdict: OwnershipVerdict.Prepared } => Finished(image, await _destination.ForceAsync(image)),
            { Verdict: OwnershipVerdict.Ceded or OwnershipVerdict.Pinned or OwnershipVerdict.Elsewhere, Role: AttemptRole.Source } => Of(image, await _source.ForceAsync(image)),
            { Verdict: OwnershipVerdict.Elsewhere or OwnershipVerdict.InDoubt } => await TakeAsync(judgement),
            { Verdict: OwnershipVerdict.Unseen } when aside is not null => await TakeAsync(judgement),
            { Verdict: OwnershipVerdict.Owner, Witness: { Exists: false, CededEpoch: > 0 } } => await TakeAsync(judgement),
            { Verdict: OwnershipVerdict.Refused } => throw OwnershipErrors.MayNot(judgement, Side.Destination),
            _ => await ResolveAsync(image, link: null, CancellationToken.None),
        };
        return result with { Message = note + result.Message };
    }

    // An image that the journal cannot speak for: OWNER with an epoch above everything that stands beside it, then its name.
    private async Task<OwnerResult> TakeAsync(OwnershipJudgement seen)
    {
        string image = seen.Image;
        using IDisposable locks = _locks.TryAcquire([image]) ?? throw OwnershipErrors.Busy([image]);
        ImageWitness witness = _witness.Look(image);
        if (!witness.Exists && witness.CededEpoch == 0)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"{image}: there is nothing here to own: neither the image nor a ceded name of it",
                "A partial copy without a seal is never run. Restore the image from where it is.");
        }

        if (witness.HasTail || witness.IncompleteEpoch > 0)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"{image}: what is here was never whole: parts of it are only at its source",
                "Take it at the source: 'disksync owner' there. A copy that is not whole is never run.");
        }

        if (witness.SealDamaged)
        {
            throw new DiskSyncException(
                FailureKind.OwnershipInDoubt,
                $"{image}: its seal cannot be read, so no epoch is known to be new",
                $"If no other host can write, move {image}.seal aside and run this again.");
        }

        DateTimeOffset now = _clock.GetUtcNow();
        _journal.Append(view => OwnershipJudge.Judge(view, image, witness).Verdict == OwnershipVerdict.Owner ? [] :
        [
            new OwnershipEntry(
                image, Guid.Empty, Math.Max(view.HighestEpoch(image), witness.Epoch) + 1, AttemptState.Owner, Hash256.Unknown, now, string.Empty, string.Empty, [image]),
        ]);
        if (!witness.Exists)
        {
            await _names.MakeUsableAsync(image, witness.CededEpoch);
        }

        return Result(image, "By the operator's word no other host can write: this host owns it now. Start its guest by hand.", resolved: true);
    }

    private OwnershipJudgement Judge(string image) => OwnershipJudge.Judge(_journal.Read(), image, _witness.Look(image));

    /// <summary>A whole image whose export was killed before it could say so.</summary>
    private void SweepTails(string image)
    {
        if (_destination.Tails.Sweep(image) is [(_, var failure), ..])
        {
            throw failure;
        }
    }

    private OwnerResult Of(string image, HandOverResult result) => Result(
        image,
        result.State == HandOverState.Nothing ? string.Empty : result.Message,
        resolved: result.Resume is not { Running: false }
            && result.State is HandOverState.Nothing or HandOverState.Done or HandOverState.Pinned or HandOverState.SourceRuns);

    private OwnerResult Finished(string image, ResumeReport resume) => Result(
        image,
        resume.Running
            ? "This host owns it and its guest was resumed."
            : $"This host owns it, but {resume.Describe()}",
        resolved: resume.Running);

    private OwnerResult Result(string image, string message, bool resolved) => new(Report(image), message, resolved);
}
