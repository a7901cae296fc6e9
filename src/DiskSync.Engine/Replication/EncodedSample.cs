namespace DiskSync.Engine.Replication;

/// <summary>What one codec made of some data.</summary>
/// <param name="Codec">The codec.</param>
/// <param name="Before">Bytes of the data.</param>
/// <param name="After">Bytes that are left.</param>
/// <param name="Elapsed">How long one worker took.</param>
public readonly record struct EncodedSample(BatchCodec Codec, long Before, long After, TimeSpan Elapsed);
