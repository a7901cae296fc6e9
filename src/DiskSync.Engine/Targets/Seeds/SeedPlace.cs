namespace DiskSync.Engine.Targets.Seeds;

/// <summary>A block of one of a library's images.</summary>
/// <param name="Image">The image's number in the library.</param>
/// <param name="Block">The block.</param>
public readonly record struct SeedPlace(int Image, long Block);
