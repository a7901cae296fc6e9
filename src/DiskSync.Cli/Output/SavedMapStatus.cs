using DiskSync.Engine.SavedMaps;

namespace DiskSync.Cli.Output;

/// <summary>A saved map in <c>disksync clean --json</c>.</summary>
/// <param name="Image">The source that it is of; null where that cannot be told.</param>
/// <param name="Folder">Its folder.</param>
/// <param name="SavedAt">When it was saved.</param>
/// <param name="AllocatedBytes">What it takes on disk.</param>
internal sealed record SavedMapStatus(string? Image, string Folder, DateTimeOffset SavedAt, long AllocatedBytes)
{
    /// <summary>Builds the status of a map.</summary>
    public static SavedMapStatus Of(SavedMapEntry entry) =>
        new(entry.Record?.Source, entry.Folder, entry.SavedAt, entry.AllocatedBytes);
}
