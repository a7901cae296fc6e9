using DiskSync.Formats.SavedMap;

namespace DiskSync.Engine.SavedMaps;

/// <summary>A saved map as it is listed.</summary>
/// <param name="Folder">Its folder.</param>
/// <param name="Record">What it is of; null where that cannot be read.</param>
/// <param name="SavedAt">When it was saved.</param>
/// <param name="AllocatedBytes">What it takes on disk.</param>
public sealed record SavedMapEntry(string Folder, SavedMapRecord? Record, DateTimeOffset SavedAt, long AllocatedBytes);
