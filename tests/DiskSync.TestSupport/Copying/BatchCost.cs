using DiskSync.Engine.Replication;

namespace DiskSync.TestSupport.Copying;

/// <summary>What encoding one batch came to.</summary>
/// <param name="Codec">The codec that it went with in the end: raw where the other was of no use.</param>
/// <param name="Bytes">Bytes of the encoded payload.</param>
/// <param name="Seconds">Seconds of a processor.</param>
public readonly record struct BatchCost(BatchCodec Codec, long Bytes, double Seconds);
