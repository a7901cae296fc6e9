using System.Diagnostics;
using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Dirty;
using DiskSync.Engine.Progress;
using DiskSync.Engine.SavedMaps;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Engine.Replication;

/// <summary>One copy of one image: a round, a checkpoint, the proof, the seal.</summary>
/// <remarks>An image that is written while it is pushed is copied block by block as it was read: use migrate for a running machine.</remarks>
public static class PushRun
{
    private const ushort Image = 0;

    /// <summary>Pushes one image over an open session and ends the session.</summary>
    /// <param name="session">The session; stays its opener's.</param>
    /// <param name="request">What to send.</param>
    /// <param name="options">How to send it.</param>
    /// <param name="progress">Where progress goes.</param>
    /// <param name="cancellationToken">Stops it; what is staged can be resumed.</param>
    /// <exception cref="DiskSyncException">It failed; the destination's image, where one stood there, is unharmed.</exception>
    public static async Task<PushResult> RunAsync(
        SourceSession session,
        TransferRequest request,
        SenderOptions options,
        IProgressSink progress,
        CancellationToken cancellationToken)
    {
        await using PushPreparation preparation = new(request, cancellationToken);
        return await RunAsync(session, preparation, options, progress, cancellationToken);
    }

    /// <summary>Pushes one image that was prepared while the session was being opened, and ends the session.</summary>
    /// <param name="session">The session; stays its opener's.</param>
    /// <param name="preparation">What to send; stays the caller's.</param>
    /// <param name="options">How to send it.</param>
    /// <param name="progress">Where progress goes.</param>
    /// <param name="cancellationToken">Stops it; what is staged can be resumed.</param>
    /// <exception cref="DiskSyncException">It failed; the destination's image, where one stood there, is unharmed.</exception>
    public static async Task<PushResult> RunAsync(
        SourceSession session,
        PushPreparation preparation,
        SenderOptions options,
        IProgressSink progress,
        CancellationToken cancellationToken)
    {
        TransferRequest request = preparation.Request;
        RefuseEmpty(request.Source);
        try
        {
            return await CopyAsync(session, preparation, options, progress, cancellationToken);
        }
        catch (OperationCanceledException exception) when (cancellationToken.IsCancellationRequested)
        {
            await session.TellPeerAsync(exception);
            throw new DiskSyncException(
                FailureKind.Interrupted,
                $"the push of {request.Source.Name} was stopped",
                "Run the same command again: it goes on from what is durable at the destination.",
                exception);
        }
        catch (Exception exception)
        {
            await session.TellPeerAsync(exception);
            throw;
        }
    }

    /// <summary>An empty image is almost always a mistake in a path or a failed export, never a machine's disk.</summary>
    /// <exception cref="ImageIOException">The image has no bytes.</exception>
    public static void RefuseEmpty(IBlockDevice source)
    {
        if (source.Length == 0)
        {
            throw new ImageIOException(
                Side.Source, source.Name, -1, "copy", "the image is empty (0 bytes)", "Check the path.");
        }
    }

    private static async Task<PushResult> CopyAsync(
        SourceSession session,
        PushPreparation preparation,
        SenderOptions options,
        IProgressSink progress,
        CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        WarmStart warm = await preparation.WarmAsync();
        TransferRequest request = preparation.Request with { Known = warm.Map };
        ImageChecked? standing = await UnchangedImage.AskAsync(session, Image, request, warm, cancellationToken);
        if (standing is { Identical: true })
        {
            await session.EndAsync(CancellationToken.None);
            return UnchangedImage.ResultOf(session, standing, warm, Stopwatch.GetElapsedTime(start));
        }

        using ImageSender sender =
            await TransferOpener.OpenAsync(session, Image, request, options, progress, cancellationToken);
        List<RoundResult> rounds =
            [await sender.RunRoundAsync(1, CopyPhase.BulkCopy, warm.FirstRound(sender.DestinationMap), cancellationToken)];
        if (warm.MustScan(sender.Root()))
        {
            rounds.Add(await sender.RunRoundAsync(2, CopyPhase.BulkCopy, new HashScan(), cancellationToken));
        }

        // The proof begins with a checkpoint.
        progress.Report(new CopyProgress(CopyPhase.Flushing) { Image = request.Source.Name });
        ProofResult proof = await ImageProof.ProveAsync(sender, rounds.Count, rounds, CopyPhase.BulkCopy, cancellationToken);
        if (warm.MustScan(proof.Root))
        {
            // A repair has read what the map does not say, or the source was opened for writing while it was proven.
            rounds.Add(await sender.RunRoundAsync(rounds.Count + 1, CopyPhase.BulkCopy, new HashScan(), cancellationToken));
            proof = await ImageProof.ProveAsync(sender, rounds.Count, rounds, CopyPhase.BulkCopy, cancellationToken);
        }

        // From here on the destination finishes by itself: cancelling could only hide that it did.
        Sealed done = await session.RequestAsync<Sealed>(Image, new Seal(0, proof.Root), CancellationToken.None);
        await session.EndAsync(CancellationToken.None);
        string notSaved = warm.Save(sender.DestinationMap, proof.Root, rounds.Sum(r => r.BytesRead));
        return new PushResult(
            done.Path,
            proof.Root,
            rounds,
            proof.BytesRead,
            session.BytesSent,
            session.BytesReceived,
            sender.Ready.BaseUsed,
            sender.Ready.State == TargetState.Resumed,
            sender.Ready.Notice,
            proof.Elapsed,
            Stopwatch.GetElapsedTime(start))
        {
            Connections = session.MostConnections,
            LostConnections = session.LostConnections,
            Basis = warm.Basis with { NotSavedBecause = notSaved, OpenedBecause = standing?.Why ?? string.Empty },
        };
    }
}
