namespace DiskSync.Formats.Wire.Messages;

/// <summary>Destination to source, the answer to <see cref="Checkpoint"/>: flushed and journaled.</summary>
/// <param name="Number">As asked.</param>
public sealed record DurableAck(ulong Number) : Message;
