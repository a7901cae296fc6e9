namespace DiskSync.Engine.Replication;

/// <summary>How a receiver serves its sessions.</summary>
public sealed record ReceiverOptions
{
    /// <summary>Time limits of the connections.</summary>
    public ConnectionOptions Connection { get; init; } = new();

    /// <summary>How long a session waits for the one before it to let go of the target: a source that was killed is gone before its receiver has finished.</summary>
    public TimeSpan BusyPatience { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long a source that serves what an image misses waits for that image's export, which may be just starting.</summary>
    public TimeSpan ExportPatience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How many payload bytes a source may have on their way unacknowledged.</summary>
    public uint Window { get; init; } = 32 << 20;

    /// <summary>How many connections a session may have at once; 1 where no second one can reach this process.</summary>
    public int MaxConnections { get; init; } = 1;

    /// <summary>How long a session that has lost all its connections is kept open for its source to come back.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.Zero;
}
