namespace DiskSync.Formats.Wire.Messages;

/// <summary>Source to destination: how does this attempt stand in your journal?</summary>
/// <param name="Attempt">Names the attempt.</param>
public sealed record QueryAttempt(Guid Attempt) : Message;
