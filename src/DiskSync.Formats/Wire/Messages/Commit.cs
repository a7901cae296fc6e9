namespace DiskSync.Formats.Wire.Messages;

/// <summary>Source to destination: the source has ceded.</summary>
/// <param name="Attempt">Names the attempt.</param>
/// <param name="Epoch">The epoch that passes to the destination.</param>
public sealed record Commit(Guid Attempt, ulong Epoch) : Message;
