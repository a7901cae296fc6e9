namespace DiskSync.Engine.Replication;

/// <summary>How a receiver serves its sessions.</summary>
public sealed record ReceiverOptions
{
    /// <summary>Time limits of the connections.</summary>
    public ConnectionOptions Connection { get; init; } = new();

    /// <summary>How long a session waits for the one before it to let go of the target: a source that was killed is gone before its receiver has finished.</summary>
    public TimeSpan BusyPatience { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How many payload bytes a source may have on their way unacknowledged.</summary>
    public uint Window { get; init; } = 32 << 20;
}
