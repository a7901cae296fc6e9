using DiskSync.Cli.Running;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Targets;
using DiskSync.Handoff.Hooks;
using DiskSync.Handoff.Migration;
using Microsoft.Extensions.Logging;

namespace DiskSync.Cli.Connecting;

/// <summary>Makes receivers: for another process, or for a destination that is a path of this host.</summary>
internal static class ReceiverFactory
{
    // A push runs none; the runner wants a limit all the same.
    private static readonly TimeSpan NoHooks = TimeSpan.FromSeconds(1);

    /// <summary>A receiver in this process for a push to a path of this host.</summary>
    /// <remarks>This host's journal is asked, and the seals where it is lost, so that a push never replaces a disk whose machine runs here.</remarks>
    /// <param name="root">The folder that confines it.</param>
    /// <param name="stateFolder">For devices' state.</param>
    /// <param name="context">For the log.</param>
    /// <param name="sources">What is sent, and so cannot be the target.</param>
    public static ReceiverHost CreateForPush(
        string root, string stateFolder, CommandContext context, IReadOnlyList<string> sources) =>
        Create(root, stateFolder, new OwnershipParts(stateFolder, NoHooks, acceptUnfenced: true), HookCatalog.Empty, context, sources).Host;

    /// <summary>A receiver that takes ownership too.</summary>
    /// <param name="root">The folder that confines it.</param>
    /// <param name="stateFolder">For devices' state.</param>
    /// <param name="parts">This host's ownership.</param>
    /// <param name="catalog">What a peer may have run here.</param>
    /// <param name="context">For the log.</param>
    /// <param name="sources">What is sent from this very process, and so cannot be a target.</param>
    /// <param name="options">How sessions are served; null for one connection each.</param>
    public static (ReceiverHost Host, ReceiverHandOver HandOver) Create(
        string root, string stateFolder, OwnershipParts parts, HookCatalog catalog, CommandContext context,
        IReadOnlyList<string>? sources = null,
        ReceiverOptions? options = null)
    {
        FileTargetProvider provider = new(root, stateFolder) { Sources = sources ?? [] };
        ReceiverHandOver handOver = parts.Receiver(provider, catalog);
        return (new ReceiverHost(provider, handOver, options ?? new ReceiverOptions(), Logger(context)), handOver);
    }

    private static ILogger Logger(CommandContext context) => context.Loggers.CreateLogger("DiskSync.Receiver");
}
