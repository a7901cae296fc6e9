namespace DiskSync.Formats.Wire.Messages;

/// <summary>Source to destination: send the sub-block hashes of these blocks.</summary>
/// <remarks>The blocks together may have at most <see cref="WireLimits.MaxSubHashes"/> sub-blocks, or the answer would not fit a frame.</remarks>
/// <param name="Blocks">At most <see cref="WireLimits.MaxSubHashBlocks"/>, ascending.</param>
public sealed record SubHashRequest(IReadOnlyList<ulong> Blocks) : Message;
