namespace DiskSync.Formats.Wire.Messages;

/// <summary>Destination to source, the answer to <see cref="CloseImage"/>.</summary>
/// <param name="DurableBlocks">How many blocks a later run need not send.</param>
public sealed record ImageClosed(ulong DurableBlocks) : Message;
