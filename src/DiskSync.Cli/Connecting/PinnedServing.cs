using DiskSync.Cli.Running;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Progress;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Tail;
using DiskSync.Engine.Transports;
using DiskSync.Handoff.Migration;
using DiskSync.Handoff.Ownership;

namespace DiskSync.Cli.Connecting;

/// <summary>Goes on serving images that are pinned here, after whoever began that has ended (docs/tail.md).</summary>
/// <param name="parts">This host's ownership.</param>
/// <param name="session">Opens a session with the destination.</param>
/// <param name="dial">Connects to the destination.</param>
/// <param name="context">Where notes go.</param>
/// <param name="progress">Where it goes how much is missing.</param>
internal sealed class PinnedServing(
    OwnershipParts parts,
    Func<CancellationToken, Task<SourceSession>> session,
    Func<CancellationToken, Task<ITransport>> dial,
    CommandContext context,
    IProgressSink progress)
{
    /// <summary>Serves until the destination has all, or says that it needs nothing from here.</summary>
    /// <param name="image">Any image of the attempt.</param>
    /// <param name="cancellation">Ends the serving; the images stay pinned.</param>
    /// <returns>How it ended; null where nothing is pinned.</returns>
    public async Task<HandOverResult?> RunAsync(string image, CancellationToken cancellation)
    {
        SourceHandOver side = parts.Source();
        using SourceAttempt? attempt = side.TakePinned(image);
        if (attempt is null)
        {
            return null;
        }

        context.Output.Note($"serving what {attempt.Peer} still misses; Ctrl-C leaves the images here pinned, and the machine there waiting");
        List<IBlockDevice> frozen = [];
        try
        {
            foreach (string identity in attempt.Images)
            {
                frozen.Add(OwnershipParts.OpenFrozen(identity, attempt.Epoch));
            }

            await using TailService tail = new(side, session, dial, new TailServerOptions(), progress, context.Output.Note);
            tail.Start(attempt, frozen, granularity: null);
            return await tail.StayAsync(cancellation);
        }
        finally
        {
            context.EndProgress();
            frozen.ForEach(f => f.Dispose());
        }
    }
}
