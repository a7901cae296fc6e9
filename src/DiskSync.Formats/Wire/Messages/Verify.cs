namespace DiskSync.Formats.Wire.Messages;

/// <summary>Source to destination: flush, then read back from the medium all that has not been read back since its last write.</summary>
/// <remarks>Takes as long as reading does; the destination sends <see cref="Progress"/> meanwhile.</remarks>
/// <param name="Number">Names the request.</param>
public sealed record Verify(ulong Number) : Message;
