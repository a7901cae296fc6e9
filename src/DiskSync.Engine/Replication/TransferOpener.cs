using DiskSync.Engine.Progress;
using DiskSync.Formats.Wire;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Engine.Replication;

/// <summary>Opens an image at the destination: base chosen, target locked, its map fetched.</summary>
public static class TransferOpener
{
    /// <summary>Opens an image.</summary>
    /// <param name="session">The session.</param>
    /// <param name="index">The image's index in the session.</param>
    /// <param name="request">What is to be sent.</param>
    /// <param name="options">How it is sent.</param>
    /// <param name="progress">Where progress goes.</param>
    /// <param name="cancellationToken">Ends the opening.</param>
    /// <returns>The sender, ready for its first round; owned by the caller.</returns>
    /// <exception cref="DiskSyncException">The destination refuses the target.</exception>
    public static async Task<ImageSender> OpenAsync(
        SourceSession session,
        ushort index,
        TransferRequest request,
        SenderOptions options,
        IProgressSink progress,
        CancellationToken cancellationToken)
    {
        // Before the image is hashed for the choice of a base; the destination checks again, for all images together.
        BlockBudget.Check($"source {request.Source.Name}", request.Geometry, open: 0);
        if (options.KeepsRounds && !session.Capabilities.HasFlag(Capability.KeepRounds))
        {
            throw new DiskSyncException(
                FailureKind.Preflight, $"{session.Peer} keeps no rounds: its disksync is older", "Leave out --keep-rounds, or update the destination.");
        }

        progress.Report(new CopyProgress(CopyPhase.Preparing) { Image = request.Source.Name });
        BaseDecision decision = await BaseChooser.ChooseAsync(session, index, request, progress, cancellationToken);
        ImageReady ready = await session.RequestAsync<ImageReady>(
            index,
            new OpenImage(
                request.Name,
                (ulong)request.Geometry.Length,
                (uint)request.Geometry.Granularity,
                request.Flags,
                decision.Choice,
                decision.Name,
                decision.Root,
                request.Mode is { } mode ? (uint)mode : uint.MaxValue,
                request.Owner),
            cancellationToken);
        ImageSender sender = new(
            session,
            index,
            request.Source,
            request.Geometry,
            ready,
            options with { AsksForSeeds = options.AsksForSeeds && decision.MayHaveSeeds },
            progress);
        try
        {
            await sender.FetchDestinationMapAsync(cancellationToken);
            return sender;
        }
        catch
        {
            sender.Dispose();
            throw;
        }
    }
}
