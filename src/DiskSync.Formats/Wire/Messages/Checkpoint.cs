namespace DiskSync.Formats.Wire.Messages;

/// <summary>Source to destination: make everything of the image that was acknowledged durable.</summary>
/// <remarks>Covers the batches whose acknowledgement the source had received when it sent this, at least; safety rule 4.</remarks>
/// <param name="Number">Grows by one with each checkpoint of the session.</param>
public sealed record Checkpoint(ulong Number) : Message;
