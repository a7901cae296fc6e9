namespace DiskSync.Engine.Runs;

/// <summary>One running (or killed) disksync command as <c>disksync status</c> shows it.</summary>
public sealed record RunRecord
{
    /// <summary>Names the run; what <c>disksync abort</c> takes.</summary>
    public required string Id { get; init; }

    /// <summary>push, migrate or receive.</summary>
    public required string Command { get; init; }

    /// <summary>The process.</summary>
    public required int Pid { get; init; }

    /// <summary>When the process started, in the kernel's clock ticks since boot; tells it from a later one with the same number.</summary>
    public required ulong PidStartTicks { get; init; }

    /// <summary>The images, as full paths; for a receiver its root.</summary>
    public required IReadOnlyList<string> Images { get; init; }

    /// <summary>The destination as the user wrote it; for a receiver where it listens.</summary>
    public required string Destination { get; init; }

    /// <summary>When the run began.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>What it does now.</summary>
    public string Phase { get; init; } = string.Empty;

    /// <summary>The round, or 0.</summary>
    public int Round { get; init; }

    /// <summary>Image bytes of the phase done.</summary>
    public long BytesDone { get; init; }

    /// <summary>Image bytes of the phase in all.</summary>
    public long BytesTotal { get; init; }

    /// <summary>Bytes sent.</summary>
    public long SentBytes { get; init; }

    /// <summary>The bandwidth limit in force in bytes a second; 0 for none.</summary>
    public long LimitBytesPerSecond { get; init; }
}
