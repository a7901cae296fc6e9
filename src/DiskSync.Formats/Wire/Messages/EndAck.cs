namespace DiskSync.Formats.Wire.Messages;

/// <summary>Destination to source, the answer to <see cref="End"/>.</summary>
/// <param name="FramesReceived">How many frames were received.</param>
public sealed record EndAck(ulong FramesReceived) : Message;
