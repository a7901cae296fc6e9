namespace DiskSync.Formats.Wire.Messages;

/// <summary>Destination to source: REFUSED is durable; a late Commit will be rejected.</summary>
/// <param name="Attempt">Names the attempt.</param>
/// <param name="Epoch">The attempt's epoch.</param>
/// <param name="Reason">Why.</param>
public sealed record Refused(Guid Attempt, ulong Epoch, string Reason) : Message;
