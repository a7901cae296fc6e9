namespace DiskSync.Formats.ExportControl;

/// <summary>Lets what is held go on; answered by <see cref="Done"/>. Only before CEDED: later the journal decides.</summary>
public sealed record ReleaseWrites : ControlMessage;
