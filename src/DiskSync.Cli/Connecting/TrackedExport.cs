using DiskSync.Engine;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Exports.Lending;
using DiskSync.Engine.Tracking;
using DiskSync.Handoff.Migration;
using DiskSync.Handoff.Ownership;

namespace DiskSync.Cli.Connecting;

/// <summary>What an export needs to keep track of writes, and to lend its image to migrations.</summary>
internal sealed class TrackedExport : IDisposable
{
    private readonly WriteTracker _tracker;
    private readonly ExportLending _lending;

    private TrackedExport(TrackedDevice image, DirtyMap since, WriteTracker tracker, ExportLending lending)
    {
        Image = image;
        Since = since;
        _tracker = tracker;
        _lending = lending;
    }

    /// <summary>The image, tracked.</summary>
    public TrackedDevice Image { get; }

    /// <summary>What was written since the export began.</summary>
    public DirtyMap Since { get; }

    /// <summary>Begins.</summary>
    /// <param name="right">The image; stays the caller's, who disposes it after this.</param>
    /// <param name="parts">This host's ownership.</param>
    /// <param name="tell">Told what the operator should know.</param>
    /// <exception cref="DiskSyncException">The image cannot be handed over, so tracking it would be for nothing; or the socket cannot be had.</exception>
    public static TrackedExport Begin(ExportRight right, OwnershipParts parts, Action<string> tell)
    {
        string identity = right.Identity ?? throw new DiskSyncException(
            FailureKind.Preflight,
            $"source {right.Image.Name}: it has no lasting name under /dev/disk/by-id or as a volume, so it cannot be handed over and is not tracked",
            "Export it without --track.");
        WriteTracker tracker = new();
        DirtyMap since = new(right.Image.Length);
        tracker.Attach(since);
        try
        {
            ExportLending lending = parts.Lend(new LendableImage(identity, right.Image.Length, tracker, Baseline: null), tell);
            return new TrackedExport(new TrackedDevice(right.Image, tracker), since, tracker, lending);
        }
        catch
        {
            tracker.Dispose();
            throw;
        }
    }

    /// <summary>Lends to nobody any more; what was held for a migration goes on or fails.</summary>
    public void EndLending() => _lending.Dispose();

    /// <inheritdoc/>
    public void Dispose()
    {
        _lending.Dispose();
        _tracker.Dispose();
    }
}
