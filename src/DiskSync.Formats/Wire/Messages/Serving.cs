namespace DiskSync.Formats.Wire.Messages;

/// <summary>The destination takes the offer: what follows on the connection, both ways, is NBD, with the source as its server.</summary>
/// <param name="Attempt">The attempt.</param>
/// <param name="Epoch">Its epoch.</param>
public sealed record Serving(Guid Attempt, ulong Epoch) : Message;
