namespace DiskSync.Engine.Progress;

/// <summary>A snapshot of a long operation, as its user is shown it.</summary>
/// <remarks>
/// Immutable, so a sink may keep it and draw it later from another thread. Every number is a total since the phase
/// began, never a difference, so a sink may skip as many snapshots as it likes.
/// </remarks>
/// <param name="Phase">What is being done.</param>
public sealed record CopyProgress(CopyPhase Phase)
{
    /// <summary>The image concerned as its user named it, or null where the phase concerns all of them.</summary>
    public string? Image { get; init; }

    /// <summary>The round, counted from 1; 0 where the phase has no rounds.</summary>
    public int Round { get; init; }

    /// <summary>Image bytes dealt with so far (holes included), at most <see cref="BytesTotal"/>.</summary>
    public long BytesDone { get; init; }

    /// <summary>Image bytes of the phase; 0 where nobody knows.</summary>
    public long BytesTotal { get; init; }

    /// <summary>Blocks that may still differ, or were found to differ; -1 where the phase has no such number.</summary>
    public long DirtyBlocks { get; init; } = -1;

    /// <summary>Bytes of the blocks sent, before compression.</summary>
    public long RawBytes { get; init; }

    /// <summary>Bytes that really went to the other side.</summary>
    public long SentBytes { get; init; }

    /// <summary>Image bytes a second now; 0 lets the display work it out.</summary>
    public double BytesPerSecond { get; init; }
}
