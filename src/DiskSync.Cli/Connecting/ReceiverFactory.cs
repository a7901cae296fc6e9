using DiskSync.Cli.Running;
using DiskSync.Engine.Peers;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Targets;
using DiskSync.Engine.Transports;
using DiskSync.Handoff.Hooks;
using DiskSync.Handoff.Migration;
using Microsoft.Extensions.Logging;

namespace DiskSync.Cli.Connecting;

/// <summary>Makes receivers: for another process, or for a destination that is a path of this host.</summary>
internal static class ReceiverFactory
{
    // A push runs none; the runner wants a limit all the same.
    private static readonly TimeSpan NoHooks = TimeSpan.FromSeconds(1);

    /// <summary>A receiver in this process for a push to a path of this host, or to an NBD export.</summary>
    /// <remarks>This host's journal is asked, and the seals where it is lost, so that a push never replaces a disk whose machine runs here.</remarks>
    /// <param name="address">Where: its folder confines the receiver.</param>
    /// <param name="stateFolder">For devices' state.</param>
    /// <param name="context">For the log.</param>
    /// <param name="sources">What is sent, and so cannot be the target.</param>
    /// <param name="keys">For an NBD export over TLS; null for the usual folder.</param>
    public static ReceiverHost CreateForPush(
        DestinationAddress address, string stateFolder, CommandContext context, IReadOnlyList<string> sources, KeyFolder? keys) =>
        CreateLocal(
            address, stateFolder, new OwnershipParts(stateFolder, NoHooks, acceptUnfenced: true), HookCatalog.Empty, context, sources, keys);

    /// <summary>A receiver in this process that takes ownership too.</summary>
    /// <param name="address">Where: its folder confines the receiver.</param>
    /// <param name="stateFolder">For devices' state.</param>
    /// <param name="parts">This host's ownership.</param>
    /// <param name="catalog">What may be run here.</param>
    /// <param name="context">For the log.</param>
    /// <param name="sources">What is sent, and so cannot be a target.</param>
    /// <param name="keys">For an NBD export over TLS; null for the usual folder.</param>
    public static ReceiverHost CreateLocal(
        DestinationAddress address, string stateFolder, OwnershipParts parts, HookCatalog catalog, CommandContext context,
        IReadOnlyList<string> sources, KeyFolder? keys)
    {
        FileTargetProvider provider = new(address.Folder, stateFolder)
        {
            Sources = sources,
            NbdTarget = address.Kind == DestinationKind.Nbd ? address.Name : null,
            Keys = keys,
        };
        return new ReceiverHost(provider, parts.Receiver(provider, catalog), new ReceiverOptions(), Logger(context));
    }

    /// <summary>A receiver that takes ownership too.</summary>
    /// <param name="root">The folder that confines it.</param>
    /// <param name="stateFolder">For devices' state.</param>
    /// <param name="parts">This host's ownership.</param>
    /// <param name="catalog">What a peer may have run here.</param>
    /// <param name="context">For the log.</param>
    /// <param name="options">How sessions are served; null for one connection each.</param>
    public static (ReceiverHost Host, ReceiverHandOver HandOver) Create(
        string root, string stateFolder, OwnershipParts parts, HookCatalog catalog, CommandContext context,
        ReceiverOptions? options = null)
    {
        FileTargetProvider provider = new(root, stateFolder);
        ReceiverHandOver handOver = parts.Receiver(provider, catalog);
        return (new ReceiverHost(provider, handOver, options ?? new ReceiverOptions(), Logger(context)), handOver);
    }

    private static ILogger Logger(CommandContext context) => context.Loggers.CreateLogger("DiskSync.Receiver");
}
