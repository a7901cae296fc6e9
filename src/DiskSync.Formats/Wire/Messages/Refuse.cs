namespace DiskSync.Formats.Wire.Messages;

/// <summary>Source to destination: durably refuse this attempt, unless it is owned already.</summary>
/// <remarks>Answered by <see cref="Refused"/>, or by <see cref="Owner"/> where the attempt is owned.</remarks>
/// <param name="Attempt">Names the attempt.</param>
/// <param name="Epoch">The attempt's epoch.</param>
public sealed record Refuse(Guid Attempt, ulong Epoch) : Message;
