namespace DiskSync.Formats.Wire.Messages;

/// <summary>Destination to source, the answer to <see cref="MissingBlocks"/>.</summary>
/// <param name="Blocks">How many blocks of the image are to be fetched, as far as was said.</param>
public sealed record MissingNoted(ulong Blocks) : Message;
