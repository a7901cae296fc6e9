namespace DiskSync.Formats.Wire.Messages;

/// <summary>Source to destination: durably refuse this attempt, unless it is owned already.</summary>
/// <param name="Attempt">Names the attempt.</param>
/// <param name="Epoch">The attempt's epoch.</param>
public sealed record Refuse(Guid Attempt, ulong Epoch) : Message;
