namespace DiskSync.Formats.Presence;

/// <summary>How much was written to an image since it was handed over with parts missing (FORMAT.md, "The count").</summary>
/// <param name="Bytes">Bytes that were written, as far as it was noted.</param>
/// <param name="Most">What they may be at most: what was noted last may have been lost with the power.</param>
/// <param name="FirstMs">When the first write came, UTC milliseconds since 1970; 0 where none did.</param>
/// <param name="LastMs">When this was noted.</param>
public readonly record struct WrittenCount(long Bytes, long Most, long FirstMs, long LastMs);
