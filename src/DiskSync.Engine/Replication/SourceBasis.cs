namespace DiskSync.Engine.Replication;

/// <summary>What a copy rested on that the source was as it was taken to be: a scan, or a saved map.</summary>
public sealed record SourceBasis
{
    /// <summary>When the map was saved that was believed; null where the source was scanned.</summary>
    public DateTimeOffset? MapOf { get; init; }

    /// <summary>How many of its blocks were read and compared with it, on this side and, where nothing was opened, on the other.</summary>
    public int AuditedBlocks { get; init; }

    /// <summary>Why the source was scanned, or empty.</summary>
    public string ScannedBecause { get; init; } = string.Empty;

    /// <summary>Why the map of this copy was not saved for the next one, or empty.</summary>
    public string NotSavedBecause { get; init; } = string.Empty;

    /// <summary>Whether the destination had the same already, so that nothing was opened or sent there.</summary>
    public bool IdenticalAlready { get; init; }

    /// <summary>Why the destination had to be opened although the source's map was believed, or empty.</summary>
    public string OpenedBecause { get; init; } = string.Empty;

    /// <summary>What the user must know: a map that was not true. Or empty.</summary>
    public string Warning { get; init; } = string.Empty;
}
