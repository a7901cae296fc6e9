namespace DiskSync.TestSupport.Fuzz;

/// <summary>Every decoder there is a target for.</summary>
public static class FuzzTargets
{
    /// <summary>All targets.</summary>
    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new("wire-frames", FuzzFrames.Run, FuzzFrames.Seeds, FuzzFrames.Repair),
        new("wire-messages", FuzzMessages.Run, FuzzMessages.Seeds),
        new("wire-blocks", FuzzBlocks.Run, FuzzBlocks.Seeds),
        new("wire-patch", FuzzPatch.Run, FuzzPatch.Seeds),
        new("wire-preamble", FuzzPreamble.Run, FuzzPreamble.Seeds),
        new("lz4", FuzzLz4.Run, FuzzLz4.Seeds),
        new("zstd", FuzzZstd.Run, FuzzZstd.Seeds),
        new("block-map", FuzzBlockMap.Run, FuzzBlockMap.Seeds, FuzzBlockMap.Repair),
        new("delta", FuzzDelta.Run, FuzzDelta.Seeds, FuzzDelta.Repair),
        new("journal", FuzzJournal.Run, FuzzJournal.Seeds, FuzzJournal.Repair),
        new("ownership", FuzzOwnership.Run, FuzzOwnership.Seeds, FuzzOwnership.Repair),
        new("seal", FuzzSeal.Run, FuzzSeal.Seeds, FuzzSeal.Repair),
        new("tail-seal", FuzzTailSeal.Run, FuzzTailSeal.Seeds, FuzzTailSeal.Repair),
        new("saved-map", FuzzSavedMap.Run, FuzzSavedMap.Seeds, FuzzSavedMap.Repair),
        new("tracking", FuzzTracking.Run, FuzzTracking.Seeds, FuzzTracking.Repair),
        new("presence", FuzzPresence.Run, FuzzPresence.Seeds, FuzzPresence.Repair),
        new("written", FuzzWritten.Run, FuzzWritten.Seeds, FuzzWritten.Repair),
        new("export-control", FuzzExportControl.Run, FuzzExportControl.Seeds),
        new("peers", FuzzPeers.Run, FuzzPeers.Seeds),
        new("nbd-server", FuzzNbdServer.Run, FuzzNbdServer.Seeds),
        new("nbd-client", FuzzNbdClient.Run, FuzzNbdClient.Seeds),
        new("qmp", FuzzQmp.Run, FuzzQmp.Seeds),
    ];
}
