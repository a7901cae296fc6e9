namespace DiskSync.Formats.Wire.Messages;

/// <summary>Destination to source: OWNER is durable; the source is done.</summary>
/// <param name="Attempt">Names the attempt.</param>
/// <param name="Epoch">The epoch that the destination owns.</param>
public sealed record Owner(Guid Attempt, ulong Epoch) : Message;
