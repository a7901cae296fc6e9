namespace DiskSync.Linux;

/// <summary>The space of a file system in bytes.</summary>
/// <param name="AvailableBytes">What an ordinary user may still take.</param>
/// <param name="TotalBytes">The size of the whole.</param>
public readonly record struct FileSystemSpace(long AvailableBytes, long TotalBytes);
