namespace DiskSync.Formats.Wire.Messages;

/// <summary>Destination to source, the answer to <see cref="SubHashRequest"/>, in the same order.</summary>
/// <param name="Blocks">One entry for each block asked for; an empty one where the block could not be read.</param>
public sealed record SubHashes(IReadOnlyList<BlockSubHashes> Blocks) : Message;
