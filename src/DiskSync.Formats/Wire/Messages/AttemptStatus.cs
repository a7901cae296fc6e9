namespace DiskSync.Formats.Wire.Messages;

/// <summary>Destination to source, the answer to <see cref="QueryAttempt"/>.</summary>
/// <param name="Attempt">As asked.</param>
/// <param name="State">The last record of the attempt.</param>
/// <param name="Epoch">Its epoch, 0 where unknown.</param>
public sealed record AttemptStatus(Guid Attempt, AttemptState State, ulong Epoch) : Message;
