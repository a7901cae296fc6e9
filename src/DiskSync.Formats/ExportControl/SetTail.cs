namespace DiskSync.Formats.ExportControl;

/// <summary>Says what becomes of reads of missing parts while there is no link; the first message of a connection, answered by <see cref="TailState"/>.</summary>
/// <param name="FailMissing">Whether they fail instead of waiting.</param>
public sealed record SetTail(bool FailMissing) : ControlMessage;
