namespace DiskSync.Formats.Wire.Messages;

/// <summary>Source to destination: make everything that was acknowledged durable.</summary>
/// <param name="Number">Grows by one with each checkpoint of the session.</param>
public sealed record Checkpoint(ulong Number) : Message;
