namespace DiskSync.Formats.Wire.Messages;

/// <summary>Source to destination: the source has ceded.</summary>
/// <remarks>Sent only after CEDED is durable; may be sent again on a new session. Answered by <see cref="Owner"/>, then <see cref="Running"/>, or by <see cref="Refused"/>.</remarks>
/// <param name="Attempt">Names the attempt.</param>
/// <param name="Epoch">The epoch that passes to the destination.</param>
public sealed record Commit(Guid Attempt, ulong Epoch) : Message;
