namespace DiskSync.Wanem;

/// <summary>What one direction of the emulated path does to packets.</summary>
internal sealed record LinkOptions
{
    /// <summary>The least queue by default, in time at the rate: less would starve a path that has no delay.</summary>
    public const long LeastQueueTime = 50 * 1_000_000;

    /// <summary>Propagation delay in nanoseconds, after the rate.</summary>
    public long Delay { get; init; }

    /// <summary>The delay varies evenly by up to so many nanoseconds either way; packets keep their order.</summary>
    public long Jitter { get; init; }

    /// <summary>The share of packets lost at the entry, 0 to 1, each on its own.</summary>
    public double Loss { get; init; }

    /// <summary>The share of packets held back by <see cref="ReorderBy"/>, so that those behind overtake them.</summary>
    public double Reorder { get; init; }

    /// <summary>How long a reordered packet is held back, in nanoseconds.</summary>
    public long ReorderBy { get; init; } = 2_000_000;

    /// <summary>Bits a second; 0 for no limit.</summary>
    public long Rate { get; init; }

    /// <summary>Bytes that each packet takes on the wire beside the IP packet (38 for Ethernet with its gap).</summary>
    public int Overhead { get; init; }

    /// <summary>The queue before the rate, in bytes; null where it is given as a time or by default.</summary>
    public long? QueueBytes { get; init; }

    /// <summary>The queue before the rate, in nanoseconds at the rate; null where it is given in bytes or by default.</summary>
    public long? QueueTime { get; init; }

    /// <summary>The queue's limit in bytes: as asked, else one bandwidth-delay product, but at least 50 ms of the rate.</summary>
    /// <param name="roundTrip">The delays of both directions, in nanoseconds.</param>
    public long QueueLimit(long roundTrip) =>
        QueueBytes ?? (long)(Rate / 8.0 * (QueueTime ?? Math.Max(roundTrip, LeastQueueTime)) / 1e9);
}
