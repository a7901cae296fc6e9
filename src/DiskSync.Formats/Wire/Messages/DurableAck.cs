namespace DiskSync.Formats.Wire.Messages;

/// <summary>Destination to source, the answer to <see cref="Checkpoint"/>: flushed and journaled.</summary>
/// <remarks>Only now may the source count the blocks as sent when it reconnects.</remarks>
/// <param name="Number">As asked.</param>
public sealed record DurableAck(ulong Number) : Message;
