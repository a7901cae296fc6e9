namespace DiskSync.Engine.Tracking;

/// <summary>What was written to an image so far, and how long the writes took.</summary>
/// <param name="Written">Bytes.</param>
/// <param name="Latencies">How many took how long: the buckets of <see cref="LatencyHistogram"/>.</param>
public sealed record WriteLoad(long Written, long[] Latencies);
