using DiskSync.Codecs;

namespace DiskSync.Formats.ExportControl;

/// <summary>The image is lent: from here on writes are tracked for the borrower.</summary>
/// <param name="Image">The image's real path.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Baseline">The root of what the image held when the export's own tracking began; unknown where nobody can say.</param>
/// <param name="BaselineEpoch">The epoch of that seal.</param>
public sealed record Lent(string Image, ulong Length, Hash256 Baseline, ulong BaselineEpoch) : ControlMessage;
