using DiskSync.Codecs;

namespace DiskSync.Handoff.Ownership;

/// <summary>What becomes of an image with a tail once it is owned (docs/tail.md, "Names").</summary>
/// <remarks>The caller holds the image's moving lock. All of it is durable on return, and repeatable.</remarks>
public interface ITailImages
{
    /// <summary>Whether the presence map says durably that nothing is missing; false where it does not, or cannot be read.</summary>
    /// <param name="image">The image's identity.</param>
    /// <param name="epoch">The epoch that is owned.</param>
    bool IsWhole(string image, ulong epoch);

    /// <summary>NAME.incomplete-EPOCH becomes NAME and gets a seal that fits nothing but says the epoch.</summary>
    /// <param name="image">The image's identity.</param>
    /// <param name="epoch">The epoch that is owned.</param>
    /// <returns>The root of the source's frozen image, which the seal names; unknown where the source never told.</returns>
    /// <exception cref="DiskSync.Engine.DiskSyncException">It could not be done; nothing is lost by doing it again.</exception>
    Hash256 GiveName(string image, ulong epoch);

    /// <summary>The record says that the image is whole: the presence map and the tail seal go.</summary>
    /// <param name="image">The image's identity.</param>
    void Forget(string image);
}
