namespace DiskSync.Formats.ExportControl;

/// <summary>Asks what is written and how long it takes; answered by <see cref="Load"/>.</summary>
public sealed record AskLoad : ControlMessage;
