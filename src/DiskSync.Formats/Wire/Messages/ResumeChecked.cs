namespace DiskSync.Formats.Wire.Messages;

/// <summary>Destination to source: what <see cref="CheckResume"/> named would be run.</summary>
public sealed record ResumeChecked : Message;
