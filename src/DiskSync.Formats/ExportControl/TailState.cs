namespace DiskSync.Formats.ExportControl;

/// <summary>What an export's image still misses.</summary>
/// <param name="Missing">Bytes, in whole parts of 4 KiB.</param>
/// <param name="Length">The image's length in bytes.</param>
/// <param name="Written">Bytes that were written since the image was handed over.</param>
/// <param name="IsLinked">Whether the source is connected.</param>
/// <param name="FailMissing">Whether reads of missing parts fail while it is not.</param>
/// <param name="Trouble">What went wrong last, or empty.</param>
public sealed record TailState(ulong Missing, ulong Length, ulong Written, bool IsLinked, bool FailMissing, string Trouble) : ControlMessage;
