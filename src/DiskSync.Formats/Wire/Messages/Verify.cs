namespace DiskSync.Formats.Wire.Messages;

/// <summary>Source to destination: flush, then read back from the medium all that has not been read back since its last write.</summary>
/// <param name="Number">Names the request.</param>
public sealed record Verify(ulong Number) : Message;
