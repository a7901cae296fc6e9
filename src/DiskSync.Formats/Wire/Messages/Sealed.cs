namespace DiskSync.Formats.Wire.Messages;

/// <summary>Destination to source, the answer to <see cref="Seal"/>.</summary>
/// <param name="Path">Where the image is now.</param>
public sealed record Sealed(string Path) : Message;
