namespace DiskSync.Formats.Wire.Messages;

/// <summary>Source to destination: stop writing this image, keep what is staged, release the lock.</summary>
/// <remarks>What was acknowledged is made durable first, unless it is discarded.</remarks>
/// <param name="Discard">Whether the staged copy is deleted.</param>
public sealed record CloseImage(bool Discard) : Message;
