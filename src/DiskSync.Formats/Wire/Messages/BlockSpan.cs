namespace DiskSync.Formats.Wire.Messages;

/// <summary>Blocks in a row.</summary>
/// <param name="First">The first block.</param>
/// <param name="Count">How many, at least 1.</param>
public readonly record struct BlockSpan(ulong First, ulong Count);
