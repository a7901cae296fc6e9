namespace DiskSync.Formats.ExportControl;

/// <summary>What was asked is done.</summary>
public sealed record Done : ControlMessage;
