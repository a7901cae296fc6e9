namespace DiskSync.Engine.Replication;

/// <summary>What was seen of others in one interval.</summary>
/// <param name="Seconds">The interval's length.</param>
/// <param name="SentBytes">What this process sent in it.</param>
/// <param name="Queueing">How long what it sent waits in queues on the way; null where nothing tells.</param>
/// <param name="DiskContended">Whether others want the source's disk and wait for it.</param>
public readonly record struct YieldSample(double Seconds, long SentBytes, TimeSpan? Queueing, bool DiskContended);
