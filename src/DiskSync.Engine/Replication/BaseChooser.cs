using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Progress;
using DiskSync.Engine.Targets;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Engine.Replication;

/// <summary>Chooses the base that a copy starts from: the one with the fewest differing blocks.</summary>
internal static class BaseChooser
{
    // Comparing costs a scan of the source and 32 bytes a block for each candidate.
    private const int MaxCandidates = 16;

    /// <summary>Chooses a base.</summary>
    /// <returns>What to put into OpenImage, and whether to ask for seeds.</returns>
    /// <exception cref="DiskSyncException">The user named a base that the destination does not hold.</exception>
    public static async Task<BaseDecision> ChooseAsync(
        SourceSession session,
        ushort index,
        TransferRequest request,
        IProgressSink progress,
        CancellationToken cancellationToken)
    {
        if (request.Base is { Automatic: false, Name.Length: 0 })
        {
            return new BaseDecision(BaseChoice.None, string.Empty, Hash256.Unknown);
        }

        Bases held = await session.RequestAsync<Bases>(
            index,
            new ListBases((ulong)request.Geometry.Length, (uint)request.Geometry.Granularity, request.Name),
            cancellationToken);
        BaseDecision decision = request.Base.Automatic
            ? await AutomaticAsync(session, index, request, held.Offers, progress, cancellationToken)
            : Named(request.Base.Name, held.Offers);
        return decision with { MayHaveSeeds = MayHaveSeeds(held.Offers) };
    }

    // What can be a seed is what can be a base with a known root, and a list that is not full has them all.
    private static bool MayHaveSeeds(IReadOnlyList<BaseOffer> offers) =>
        offers.Count >= WireLimits.MaxBases || offers.Any(o => !o.Root.IsUnknown);

    private static async Task<BaseDecision> AutomaticAsync(
        SourceSession session,
        ushort index,
        TransferRequest request,
        IReadOnlyList<BaseOffer> offers,
        IProgressSink progress,
        CancellationToken cancellationToken)
    {
        BaseOffer[] known = [.. offers.Where(o => !o.Root.IsUnknown).DistinctBy(o => o.Root).Take(MaxCandidates)];
        if (known.Length == 0)
        {
            // What stands at the target's name, or was handed over from there, is worth hashing: most often an older copy of the same image.
            bool targetExists = offers.Any(o => string.Equals(o.Name, request.Name, StringComparison.Ordinal));
            return targetExists ? new BaseDecision(BaseChoice.Target, string.Empty, Hash256.Unknown)
                : offers.Select(o => o.Name).FirstOrDefault(n => NumberedNames.Ceded.IsOf(n, request.Name)) is { } ceded
                    ? new BaseDecision(BaseChoice.Named, ceded, Hash256.Unknown)
                : new BaseDecision(BaseChoice.None, string.Empty, Hash256.Unknown);
        }

        // Since that one it is known what was written: nothing can differ less.
        if (request.Tracking is { Baseline: { IsUnknown: false } baseline } && known.Where(o => o.Root == baseline).Select(o => o.Name).FirstOrDefault() is { } ticket)
        {
            return new BaseDecision(BaseChoice.Named, ticket, baseline);
        }

        BaseOffer best = known.Length == 1
            ? known[0]
            : await FewestDifferencesAsync(session, index, request, known, progress, cancellationToken);
        return new BaseDecision(BaseChoice.Named, best.Name, best.Root);
    }

    private static BaseDecision Named(string name, IReadOnlyList<BaseOffer> offers)
    {
        foreach (BaseOffer offer in offers)
        {
            if (string.Equals(offer.Name, name, StringComparison.Ordinal))
            {
                return new BaseDecision(BaseChoice.Named, name, offer.Root);
            }
        }

        // It may still exist without a seal; the destination looks, hashes it, or says that it is not there.
        return new BaseDecision(BaseChoice.Named, name, Hash256.Unknown);
    }

    private static async Task<BaseOffer> FewestDifferencesAsync(
        SourceSession session,
        ushort index,
        TransferRequest request,
        IReadOnlyList<BaseOffer> candidates,
        IProgressSink progress,
        CancellationToken cancellationToken)
    {
        using PagedMap source = await Task.Run(
            () => request.Known?.TryLoad() ?? ImageHasher.Hash(request.Source, request.Geometry, progress, cancellationToken),
            cancellationToken);
        BaseOffer best = candidates[0];
        long fewest = long.MaxValue;
        foreach (BaseOffer candidate in candidates)
        {
            // What a longer base holds past the image's end says nothing of the image, so it is not asked for.
            long shared = Math.Min(BlocksOf(candidate, request), request.Geometry.BlockCount);
            long differing = 0;
            await MapFetcher.FetchAsync(
                session,
                index,
                candidate.Root,
                shared,
                (first, count, hash) =>
                {
                    foreach (HashRun run in source.GetRuns(first, count))
                    {
                        differing += run.Hash == hash ? 0 : run.Count;
                    }
                },
                cancellationToken);

            // Blocks past the base's end have to be sent unless they are zero, which a longer file gives for nothing.
            differing += CountData(source, shared, request.Geometry);
            if (differing < fewest)
            {
                (best, fewest) = (candidate, differing);
            }
        }

        return best;
    }

    private static long CountData(PagedMap source, long first, BlockGeometry geometry)
    {
        Hash256 zero = ZeroBlock.HashOf(geometry.Granularity);
        long count = 0;
        foreach (HashRun run in source.GetRuns(first, geometry.BlockCount - first))
        {
            count += run.Hash == zero ? 0 : run.Count;
        }

        return count;
    }

    private static long BlocksOf(BaseOffer offer, TransferRequest request) =>
        ((long)offer.Length + request.Geometry.Granularity - 1) / request.Geometry.Granularity;
}
