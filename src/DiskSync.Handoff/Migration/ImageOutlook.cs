using DiskSync.Engine.Replication;

namespace DiskSync.Handoff.Migration;

/// <summary>What the rounds of one image have shown for the forecast of its last one.</summary>
/// <param name="Bulk">Its first round, which shows the link's rate best.</param>
/// <param name="Last">Its last round.</param>
/// <param name="Dirty">Bytes that are dirty now, where its writes are tracked; null where the last round has to scan.</param>
public readonly record struct ImageOutlook(RoundResult Bulk, RoundResult Last, long? Dirty);
