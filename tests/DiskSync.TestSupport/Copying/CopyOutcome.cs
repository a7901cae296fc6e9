using DiskSync.Engine.Replication;

namespace DiskSync.TestSupport.Copying;

/// <summary>How a simulated copy went.</summary>
/// <param name="Seconds">How long it took.</param>
/// <param name="ProcessorSeconds">What encoding took of the processors, all workers together.</param>
/// <param name="WireBytes">Bytes on the wire.</param>
/// <param name="Uses">Batches by codec, the most used first.</param>
public sealed record CopyOutcome(
    double Seconds, double ProcessorSeconds, long WireBytes, IReadOnlyList<(BatchCodec Codec, int Batches)> Uses);
