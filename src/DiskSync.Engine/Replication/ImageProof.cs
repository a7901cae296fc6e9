using System.Diagnostics;
using DiskSync.Codecs;
using DiskSync.Engine.Dirty;
using DiskSync.Engine.Progress;
using DiskSync.Engine.Transports;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Engine.Replication;

/// <summary>Proves that the destination holds what was sent, and sends again what its medium has lost.</summary>
public static class ImageProof
{
    private const int MaxRepairs = 3;

    /// <summary>Has the destination read back its copy as it is, blocks that it still misses included, and compares the roots.</summary>
    /// <param name="sender">The image; its last round is over, dirty blocks or not.</param>
    /// <param name="cancellationToken">Ends the proof.</param>
    /// <exception cref="DiskSyncException">Blocks are wrong, or the roots differ.</exception>
    public static async Task<ProofResult> ProveAsItIsAsync(ImageSender sender, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(sender);
        long start = Stopwatch.GetTimestamp();
        Verified verified = await sender.VerifyAsync(cancellationToken);
        if (verified.Wrong.Count > 0)
        {
            throw new DiskSyncException(
                FailureKind.Destination,
                $"destination {sender.Ready.StagedAs}: {verified.Wrong.Count}{(verified.More ? " or more" : string.Empty)} blocks read back differently in the pause, the first at offset {sender.Geometry.OffsetOf((long)verified.Wrong[0])}",
                "Run the migrate again: it sends them again; look at that host's storage.");
        }

        return verified.Root == sender.Root()
            ? new ProofResult(verified.Root, (long)verified.BytesRead, Stopwatch.GetElapsedTime(start))
            : throw new TransportLostException(
                $"source and destination disagree about {sender.Source.Name}: root {sender.Root()} here, {verified.Root} there, though every block was acknowledged",
                "Run the command again with --fresh, and please report this.");
    }

    /// <summary>Has the destination read back its copy until nothing is wrong with it, and compares the roots.</summary>
    /// <param name="sender">The image; its last round is over.</param>
    /// <param name="lastRound">The number of that round; repairs count on from there.</param>
    /// <param name="rounds">Repair rounds are added here.</param>
    /// <param name="phase">What the progress display calls a repair.</param>
    /// <param name="cancellationToken">Ends the proof.</param>
    /// <exception cref="DiskSyncException">Blocks stay wrong, or the roots differ though no block does.</exception>
    public static async Task<ProofResult> ProveAsync(
        ImageSender sender, int lastRound, IList<RoundResult> rounds, CopyPhase phase, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        long bytesRead = 0;
        for (int repair = 0; ; repair++)
        {
            Verified verified = await sender.VerifyAsync(cancellationToken);
            bytesRead += (long)verified.BytesRead;
            if (verified.Wrong.Count == 0)
            {
                Hash256 root = sender.Root();
                return verified.Root == root
                    ? new ProofResult(root, bytesRead, Stopwatch.GetElapsedTime(start))
                    : throw new TransportLostException(
                        $"source and destination disagree about {sender.Source.Name}: root {root} here, {verified.Root} there, though every block was acknowledged",
                        "Run the command again with --fresh, and please report this.");
            }

            if (repair == MaxRepairs)
            {
                throw new DiskSyncException(
                    FailureKind.Destination,
                    $"destination {sender.Ready.StagedAs}: {verified.Wrong.Count}{(verified.More ? " or more" : string.Empty)} blocks still read back differently after {MaxRepairs} repairs, the first at offset {sender.Geometry.OffsetOf((long)verified.Wrong[0])}",
                    "Its storage or memory is bad, or something else writes there: check the destination host's disk.");
            }

            if (verified.More)
            {
                // The rest is known to the destination alone, which will not read it back a second time.
                await sender.CorrectMapAsync(verified.Root, cancellationToken);
            }
            else
            {
                sender.Distrust(verified.Wrong);
            }

            rounds.Add(await sender.RunRoundAsync(lastRound + repair + 1, phase, MarkedOnly.Instance, cancellationToken));
        }
    }
}
