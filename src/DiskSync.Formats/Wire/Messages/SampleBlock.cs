using DiskSync.Codecs;

namespace DiskSync.Formats.Wire.Messages;

/// <summary>A block of a sample, and what it should be.</summary>
/// <param name="Block">Its number.</param>
/// <param name="Hash">The hash of its content; known.</param>
public readonly record struct SampleBlock(ulong Block, Hash256 Hash);
