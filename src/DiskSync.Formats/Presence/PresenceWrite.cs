namespace DiskSync.Formats.Presence;

/// <summary>Bytes of a presence map, and where they go.</summary>
/// <param name="Offset">In bytes from the start of the file.</param>
/// <param name="Bytes">The bytes.</param>
public readonly record struct PresenceWrite(long Offset, ReadOnlyMemory<byte> Bytes);
