namespace DiskSync.Formats.ExportControl;

/// <summary>Asks an export what its image still misses; the first message of a connection, answered by <see cref="TailState"/>.</summary>
public sealed record AskTail : ControlMessage;
