namespace DiskSync.Formats.Wire.Messages;

/// <summary>Destination to source, the answer to <see cref="Drain"/>: nothing of that connection will be written any more.</summary>
/// <param name="Connection">As in the <see cref="Drain"/>.</param>
public sealed record Drained(ushort Connection) : Message;
