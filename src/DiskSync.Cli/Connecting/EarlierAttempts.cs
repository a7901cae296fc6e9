using DiskSync.Cli.Running;
using DiskSync.Engine;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Targets;
using DiskSync.Handoff.Migration;
using DiskSync.Handoff.Ownership;

namespace DiskSync.Cli.Connecting;

/// <summary>Completes or calls off what earlier migrations of the same images have left open, before a new one begins.</summary>
/// <param name="parts">This host's ownership.</param>
/// <param name="dial">Opens a session with the destination.</param>
/// <param name="destination">The destination as the user named it.</param>
/// <param name="pinned">Goes on serving what is pinned.</param>
/// <param name="context">Where notes go.</param>
internal sealed class EarlierAttempts(
    OwnershipParts parts, Func<CancellationToken, Task<SourceSession>> dial, string destination, PinnedServing pinned, CommandContext context)
{
    /// <summary>Resolves every open attempt that one of the images belongs to.</summary>
    /// <param name="images">The images as the user named them.</param>
    /// <param name="cancellation">Stops waiting for the destination's guest.</param>
    /// <returns>How the last one ended where all of the images have moved with them; null where all are still here, to be migrated.</returns>
    /// <exception cref="DiskSyncException">One stays in doubt, its guest does not run, or only some of the images have moved.</exception>
    public async Task<HandOverResult?> ResolveAsync(IReadOnlyList<string> images, CancellationToken cancellation)
    {
        OwnershipJudgement[] open = [.. images.Select(Judge).Where(IsOpen).DistinctBy(j => j.Last!.Attempt)];
        if (open.Length == 0)
        {
            return null;
        }

        if (Array.Find(open, j => j.Verdict == OwnershipVerdict.Pinned && j.Last!.Peer != destination) is { } elsewhere)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"source {elsewhere.Image}: it is pinned, for {elsewhere.Last!.Peer} owns it and still fetches parts of it from here",
                $"'disksync owner {elsewhere.Image}' goes on serving it; --destination there names another way to that host.");
        }

        context.Output.Note("an earlier attempt was cut off; resolving it first");
        await using SourceSession? session = await TryDialAsync(open, cancellation);
        SessionHandOverLink? link = session is null ? null : new SessionHandOverLink(session);
        HashSet<string> moved = new(StringComparer.Ordinal);
        HandOverResult? last = null;
        foreach (OwnershipJudgement judgement in open)
        {
            HandOverResult result = await parts.Source().ResolveAsync(judgement.Image, link, CededWish.Complete, cancellation);
            context.Output.Note(result.Message);
            if (result.State == HandOverState.Pinned)
            {
                result = await pinned.RunAsync(judgement.Image, cancellation) ?? result;
                context.Output.Note(result.Message);
            }

            ThrowUnlessResolved(result, judgement.Image);
            if (result.State == HandOverState.Done)
            {
                moved.UnionWith(judgement.Last!.Images);
                last = result;
            }
        }

        string[] here = [.. images.Where(i => !moved.Contains(ImageIdentity.Of(i)))];
        return here.Length == 0 || here.Length == images.Count
            ? last
            : throw new DiskSyncException(
                FailureKind.Preflight,
                $"source: of these images only some have moved with the attempt that was cut off before; still here: {string.Join(", ", here)}",
                "Run the migrate again with those alone.");
    }

    private OwnershipJudgement Judge(string image)
    {
        string identity = ImageIdentity.Of(image);
        return OwnershipJudge.Judge(parts.Journal.Read(), identity, parts.Witness.Look(identity));
    }

    private static bool IsOpen(OwnershipJudgement judgement) => judgement.Role == AttemptRole.Source
        && judgement.Verdict is OwnershipVerdict.Paused or OwnershipVerdict.Ceded or OwnershipVerdict.Pinned or OwnershipVerdict.OwnerUnfinished;

    private async Task<SourceSession?> TryDialAsync(OwnershipJudgement[] open, CancellationToken cancellation)
    {
        try
        {
            return await dial(cancellation);
        }
        catch (DiskSyncException) when (open.All(j => j.Verdict != OwnershipVerdict.Ceded))
        {
            // What was not ceded is called off without anybody's leave; a guest does not stay paused for want of a link.
            return null;
        }
    }

    private static void ThrowUnlessResolved(HandOverResult result, string image)
    {
        if (result.State is not (HandOverState.Done or HandOverState.SourceRuns or HandOverState.Nothing))
        {
            throw new DiskSyncException(
                FailureKind.OwnershipInDoubt, result.Message, $"Run 'disksync owner {image}'.", result.Cause);
        }

        if (result.State == HandOverState.Done && result.Resume is not { Running: true })
        {
            throw new DiskSyncException(
                result.Resume is null ? FailureKind.Transport : FailureKind.Destination,
                result.Message,
                "The source stays paused. Mend what keeps the machine from starting there, then run 'disksync owner' there.",
                result.Cause);
        }
    }
}
