namespace DiskSync.Linux;

/// <summary>A range of a file that is data, or a hole that reads as zeros.</summary>
/// <param name="Offset">First byte.</param>
/// <param name="Length">Bytes, more than 0.</param>
/// <param name="IsData">True where it must be read to be known.</param>
public readonly record struct HoleRange(long Offset, long Length, bool IsData);
