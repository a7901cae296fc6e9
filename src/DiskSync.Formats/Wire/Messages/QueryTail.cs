namespace DiskSync.Formats.Wire.Messages;

/// <summary>Source to destination: how an attempt stands, and how much is missing still. Answered by <see cref="TailStatus"/>.</summary>
/// <param name="Attempt">The attempt.</param>
public sealed record QueryTail(Guid Attempt) : Message;
