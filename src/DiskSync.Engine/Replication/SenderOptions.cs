namespace DiskSync.Engine.Replication;

/// <summary>How blocks are sent.</summary>
public sealed record SenderOptions
{
    /// <summary>How many workers read, hash and encode at the same time.</summary>
    public int Workers { get; init; } = Math.Clamp(Environment.ProcessorCount, 1, 4);

    /// <summary>The image bytes of one batch; a block larger than this makes a batch of its own.</summary>
    public int BatchBytes { get; init; } = 1 << 20;

    /// <summary>How many batches may be filled, encoded or unacknowledged at once: the limit on memory and on what is in flight.</summary>
    public int MaxBatches { get; init; } = 12;

    /// <summary>How many bytes may be acknowledged before a checkpoint makes them durable.</summary>
    public long CheckpointBytes { get; init; } = 512L << 20;

    /// <summary>How long acknowledged bytes may wait for a checkpoint.</summary>
    public TimeSpan CheckpointInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>When payloads are compressed, and how.</summary>
    public CompressionMode Compression { get; init; } = CompressionMode.Auto;

    /// <summary>What to expect of the link until it was measured, in bytes a second; infinite where there is no network between the two.</summary>
    public double ExpectedLinkRate { get; init; } = CompressionPolicy.UnknownLinkRate;

    /// <summary>Whether another program carries the bytes (ssh), whose need of processors may look like a slow link.</summary>
    public bool IsThroughProgram { get; init; }

    /// <summary>Whether to ask the destination for contents that it has in other images; of no use where it has said that it has none.</summary>
    public bool AsksForSeeds { get; init; } = true;

    /// <summary>Whether the destination is to keep the copy as it is at the end of each round, but for the one in the pause.</summary>
    public bool KeepsRounds { get; init; }

    /// <summary>The bandwidth limit, by which batches are sized; the connections keep it (<see cref="ConnectionOptions.Limiter"/>).</summary>
    public RateLimiter Limiter { get; init; } = new();
}
