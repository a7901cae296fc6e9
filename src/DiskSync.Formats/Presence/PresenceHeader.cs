using DiskSync.Codecs;

namespace DiskSync.Formats.Presence;

/// <summary>What a presence map is about.</summary>
/// <param name="Length">The image's length in bytes; at least 1.</param>
/// <param name="Id">Random; every map that is written anew has another.</param>
/// <param name="Attempt">The attempt that handed the image over.</param>
/// <param name="Epoch">The epoch that is owned.</param>
/// <param name="Root">The root hash of the source's frozen image, or unknown.</param>
/// <param name="CreatedMs">UTC milliseconds since 1970.</param>
public sealed record PresenceHeader(long Length, Guid Id, Guid Attempt, ulong Epoch, Hash256 Root, long CreatedMs)
{
    /// <summary>Bytes of a part; the image's last may be shorter.</summary>
    public const int PartSize = 4096;

    /// <summary>How many parts the image has.</summary>
    public long PartCount => PartEnd(0, Length);

    /// <summary>The part after the last one that a range touches.</summary>
    /// <param name="offset">Where the range begins, in bytes.</param>
    /// <param name="length">Its bytes.</param>
    public static long PartEnd(long offset, long length) => (offset + length + PartSize - 1) / PartSize;
}
