namespace DiskSync.Formats.Wire.Messages;

/// <summary>Destination to source: PREPARED is durable.</summary>
/// <param name="Attempt">As asked.</param>
/// <param name="Epoch">As asked.</param>
public sealed record Prepared(Guid Attempt, ulong Epoch) : Message;
