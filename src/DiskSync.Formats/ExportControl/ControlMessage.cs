namespace DiskSync.Formats.ExportControl;

/// <summary>A message between an export and the migration that its image is lent to (FORMAT.md).</summary>
public abstract record ControlMessage;
